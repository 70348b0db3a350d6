"""Administration: servers' admins switch plugins and change settings, owners decide for all servers. The routes are in `front.py`."""
