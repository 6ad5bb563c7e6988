"""The door to systemd: units by D-Bus, the journal, notifications, inherited sockets."""
