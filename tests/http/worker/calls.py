"""Calls as people write them; each returns what a test can compare."""

import urllib.parse
import urllib.request

import requests


def requests_text(url):
    return requests.get(f"{url}/text", timeout=60).text


def requests_json(url):
    return requests.get(f"{url}/json", params={"q": "a b&c"}, timeout=60).json()


def requests_bytes(url):
    return list(requests.get(f"{url}/bytes", timeout=60).content)


def requests_post(url):
    return requests.post(f"{url}/echo", json={"grüß": [1, None]}, timeout=60).json()


def requests_post_bytes(url):
    return requests.put(f"{url}/echo", data=bytes(range(256)), timeout=60).json()


def requests_post_form(url):
    return requests.post(f"{url}/echo", data={"a": "1", "b": "ü"}, timeout=60).json()


def requests_files(url):
    return requests.post(f"{url}/echo", files={"f": ("a.txt", b"content")}, timeout=60).json()


def requests_headers(url):
    response = requests.get(f"{url}/echo", headers={"X-Ours": "1"}, timeout=60)
    return [response.json(), response.headers["X-Theirs"], response.headers["content-type"]]


def requests_session(url):
    with requests.Session() as session:
        session.headers["x-session"] = "s"
        session.auth = ("user", "password")
        first = session.get(f"{url}/echo", timeout=60).json()
        second = session.get(f"{url}/echo", timeout=60).json()
    return [first["headers"]["authorization"], second["headers"]["x-session"]]


def requests_status(url):
    response = requests.get(f"{url}/status/404", timeout=60)
    return [response.status_code, response.ok, response.text]


def requests_raise_for_status(url):
    requests.get(f"{url}/status/503", timeout=60).raise_for_status()


def requests_redirect(url):
    response = requests.get(f"{url}/redirect/2", timeout=60)
    return [response.url, [one.status_code for one in response.history], response.text]


def requests_no_redirect(url):
    response = requests.get(f"{url}/redirect/1", allow_redirects=False, timeout=60)
    return [response.status_code, response.headers["location"]]


def requests_redirect_loop(url):
    requests.get(f"{url}/loop", timeout=60)


def requests_timeout(url):
    requests.get(f"{url}/slow", timeout=0.2)


def requests_timeout_int(url):
    requests.get(f"{url}/slow", timeout=1)


def requests_refused(url):
    requests.get("http://127.0.0.1:9/", timeout=60)


def requests_broken(url):
    return requests.get(f"{url}/broken", timeout=60).text


def requests_bad_url(url):
    requests.get("nowhere", timeout=60)


def requests_bad_json(url):
    requests.get(f"{url}/text", timeout=60).json()


def requests_stream(url):
    with requests.get(f"{url}/bytes", stream=True, timeout=60) as response:
        return b"".join(response.iter_content(100)) == bytes(range(256))


def requests_gzip(url):
    return requests.get(f"{url}/gzip", timeout=60).text


def requests_head(url):
    response = requests.head(f"{url}/text", timeout=60)
    return [response.status_code, response.text]


def requests_cookies(url):
    with requests.Session() as session:
        first = session.get(f"{url}/cookies", timeout=60)
        again = session.get(f"{url}/echo", timeout=60).json()
    return [dict(first.cookies), again["headers"]["cookie"]]


def requests_body_timeout(url):
    requests.get(f"{url}/stalling", timeout=2)


def requests_reason(url):
    return requests.get(f"{url}/status/404", timeout=60).reason


def urllib3_itself(url):
    import urllib3

    response = urllib3.request("GET", f"{url}/json", fields={"a": "1"})
    return [response.status, response.json()]


def requests_slow(url):
    return requests.get(f"{url}/gate", timeout=60).text


def urllib_text(url):
    with urllib.request.urlopen(f"{url}/text", timeout=60) as response:
        return [response.status, response.reason, response.read().decode()]


def urllib_bytes(url):
    with urllib.request.urlopen(f"{url}/bytes") as response:
        return list(response.read())


def urllib_lines(url):
    with urllib.request.urlopen(f"{url}/lines") as response:
        return [line.decode() for line in response]


def urllib_post(url):
    data = urllib.parse.urlencode({"a": "1"}).encode()
    with urllib.request.urlopen(f"{url}/echo", data) as response:
        import json

        return json.load(response)


def urllib_post_parts(url):
    import json

    request = urllib.request.Request(
        f"{url}/echo", data=iter([b"one ", b"two"]), headers={"Content-Length": "7"}, method="PUT"
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def urllib_headers(url):
    import json

    request = urllib.request.Request(f"{url}/echo", headers={"X-Ours": "1"})
    with urllib.request.urlopen(request) as response:
        return [json.load(response), response.headers["x-theirs"], response.getheader("X-Theirs")]


def urllib_status(url):
    urllib.request.urlopen(f"{url}/status/404")


def urllib_error_body(url):
    try:
        urllib.request.urlopen(f"{url}/status/404")
    except urllib.request.HTTPError as error:
        return [error.code, error.reason, error.read().decode(), error.headers["x-theirs"]]


def urllib_redirect(url):
    with urllib.request.urlopen(f"{url}/redirect/2") as response:
        return [response.geturl(), response.read().decode()]


def urllib_redirect_loop(url):
    urllib.request.urlopen(f"{url}/loop")


def urllib_timeout(url):
    urllib.request.urlopen(f"{url}/slow", timeout=0.2)


def urllib_body_timeout(url):
    urllib.request.urlopen(f"{url}/stalling", timeout=2)


def urllib_refused(url):
    urllib.request.urlopen("http://127.0.0.1:9/")


def urllib_broken(url):
    urllib.request.urlopen(f"{url}/broken").read()


def urllib_auth(url):
    import json

    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, url, "user", "password")
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    with opener.open(f"{url}/auth") as response:
        return json.load(response)["headers"]["authorization"]


def urllib_gzip(url):
    with urllib.request.urlopen(f"{url}/gzip") as response:
        return [response.read().decode(), response.headers["content-encoding"]]


def urllib_head(url):
    with urllib.request.urlopen(urllib.request.Request(f"{url}/text", method="HEAD")) as response:
        return [response.status, response.read().decode()]
