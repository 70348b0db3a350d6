"""What is kept in Redis, and the only code that imports its client. What it means is decided by router and worker."""
