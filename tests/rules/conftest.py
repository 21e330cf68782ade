from hypothesis import settings

settings.register_profile("rules", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("rules")
