"""healthctl, the operator's client. Imports are late and few: a status must be on the screen in 150 ms."""
