"""The router process: from a connector's Message to the Reply, durable in between. It never imports a model library."""
