"""One file a contestant: each is a process of its own, so that no library meets another's threads."""
