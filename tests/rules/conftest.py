from hypothesis import HealthCheck, settings

settings.register_profile(
    "rules",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=50,
)
settings.load_profile("rules")
