"""The rules: plain Python that knows neither JavaScript nor the rest of the library."""
