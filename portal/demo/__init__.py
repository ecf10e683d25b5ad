"""A believable small world to try the portal in: everything in it is invented."""
