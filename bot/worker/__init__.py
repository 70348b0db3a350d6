"""The worker process: owns one device and runs the models on it. Who may use it when is decided by the queue in `bot/store/`."""
