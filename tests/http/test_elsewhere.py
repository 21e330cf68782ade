"""Outside of the runtime."""

import partyserver.http
import pytest


def test_enable_says_where_it_works():
    with pytest.raises(ImportError, match="inside Cloudflare's runtime"):
        partyserver.http.enable()
