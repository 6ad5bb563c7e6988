"""How often healthd judges rightly: labelled scenes, made for real on booted hosts, faults and harmless look-alikes."""
