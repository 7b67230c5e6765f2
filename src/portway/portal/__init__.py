"""The portal: pages, fragments and static files, acting as the logged-in user."""
