collect_ignore = ["python_modules", "worker"]
