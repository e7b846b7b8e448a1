"""`netc verify`: what a net claims and what it is made of, measured on random weights and inputs."""
