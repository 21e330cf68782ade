"""Every row of docs/pages/bad-input.md has a test, by the names in this table."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "pages" / "bad-input.md"

AGENTS = {
    name: f"agents/test_{name}.py" for name in ("callables", "connections", "routing", "state")
}
BODIES = "contracts/test_bodies.py"
CLOSING = "contracts/test_closing.py"
DOCUMENTS = {
    name: f"yjs/test_{name}.py"
    for name in ("awareness", "hostile", "malformed", "storage", "structs", "sync")
}
EVENTS = "capabilities/test_events.py"
CONNECTIONS = "contracts/test_connections.py"
GUESTS = "asgi/test_guests.py"
IDENTITY = "contracts/test_identity.py"
LIMITS = "contracts/test_limits.py"
TELLING = "contracts/test_telling.py"
FAILURES = "contracts/test_failures.py"
HOSTILE = "contracts/test_hostile.py"
HTTP = "contracts/test_http.py"
INPUTS = "inputs/test_inputs.py"
MESSAGES = "contracts/test_messages.py"
MODEL = "model/test_model.py"
MIGRATIONS = "contracts/test_migrations.py"
STARTING = "contracts/test_starting.py"
STORAGE = "contracts/test_storage.py"
VALUES = "contracts/test_values.py"

ROWS = {
    # Connecting
    "`_pk` missing or empty": {
        CONNECTIONS: ["test_a_connection_without_an_id_gets_a_url_safe_one"]
    },
    "`_pk` over 256 bytes of UTF-8, or with control characters": {
        CONNECTIONS: ["test_an_id_that_is_too_long_or_has_control_characters_is_refused"]
    },
    "`_pk` of a connection that is open": {
        CONNECTIONS: [
            "test_connections_with_the_same_id_are_allowed_and_the_newest_is_found",
            "test_duplicate_ids_can_be_rejected",
            "test_a_duplicate_id_can_replace_the_older_connection",
        ]
    },
    "a URL so long that it leaves no room for a state "
    "(id, tags, URL and state share 16,384 bytes)": {
        CONNECTIONS: ["test_a_url_that_leaves_no_room_for_a_state_is_refused_with_414"]
    },
    "tags that are not strings, empty, over 256 bytes, or more than 9": {
        CONNECTIONS: ["test_bad_tags_fail_the_upgrade_and_the_room_lives"],
        INPUTS: ["test_a_tag_that_is_no_string_fails_the_upgrade_and_the_room_lives"],
    },
    "an upgrade from another site's page, when `allowed_origins` is set": {
        HTTP: ["test_upgrades_from_other_origins_get_403"]
    },
    "an unknown party, also `__proto__`, `constructor`, `toString`": {
        HTTP: ["test_an_unknown_party_is_a_400"]
    },
    "the party in other letters: `Chat`, `CHAT`": {HTTP: ["test_a_party_is_found_in_any_case"]},
    "the party `main`, PartyKit's default": {HTTP: ["test_the_party_main_gets_a_hint"]},
    "a room's name that is empty": {INPUTS: ["test_a_room_without_a_name_is_no_party_url"]},
    "a room's name with `%2F`, `%00`, `%E2%82%AC`, of 1,000 characters, in NFC or NFD": {
        HTTP: ["test_no_two_names_meet_in_one_room"]
    },
    "`..` as a room's name": {INPUTS: ["test_a_room_without_a_name_is_no_party_url"]},
    "headers `x-partykit-...`, and the Agents SDK's `x-agents-lifecycle-...`": {
        HTTP: ["test_internal_headers_of_a_client_are_removed"],
        INPUTS: ["test_internal_headers_of_a_websocket_client_are_removed"],
        AGENTS["routing"]: ["test_props_are_the_routers_and_never_a_clients"],
    },
    "an identity that a client claims, in headers, or in `cf` by the development server's header "
    "for it": {
        IDENTITY: ["test_a_clients_own_claims_are_removed"],
        GUESTS: [
            "test_a_rooms_app_knows_who_a_request_is_from",
            "test_a_site_takes_no_clients_word_for_it",
        ],
        "partykit/test_guests.py": ["test_no_client_can_say_it"],
    },
    "an identity that is no JSON object of at most 4,096 bytes, from a stub": {
        IDENTITY: ["test_an_identity_that_is_none_is_refused"]
    },
    "an identity of a hook's that JSON cannot hold, or of more than 4,096 bytes": {
        IDENTITY: ["test_what_is_no_identity_fails_the_request"]
    },
    "line breaks, control characters or what looks like a line of the log, in a text or an id that "
    "a room logs, with [`partyserver.logs`](guides/logging.md#what-clients-say)": {
        "logs/test_logs.py": ["test_what_a_client_says_forges_no_line"]
    },
    'more connections than `options["max_connections"]`': {
        LIMITS: [
            "test_a_full_room_tells_the_next_one",
            "test_of_many_at_once_only_so_many_come_in",
        ]
    },
    "props that are no base64 or no JSON, from a stub": {
        INPUTS: ["test_props_that_cannot_be_read_are_a_400"]
    },
    "1,000 clients that connect at once, then leave at once": {
        INPUTS: ["test_a_thousand_clients_connect_at_once_and_leave_at_once"]
    },
    # Messages
    "text with NUL or 4-byte characters; empty text, empty binary": {
        MESSAGES: ["test_text_arrives_as_sent", "test_binary_arrives_as_sent"]
    },
    "text with half a surrogate pair, from the room": {
        MESSAGES: ["test_a_half_surrogate_becomes_the_replacement_character_as_in_javascript"]
    },
    "text that is no UTF-8": {
        INPUTS: ["test_text_that_is_no_utf_8_reaches_the_room_as_the_replacement_character"]
    },
    'a message over `options["max_message_size"]` (default: the platform\'s 32 MiB)': {
        MESSAGES: ["test_a_message_over_the_limit_of_the_options_closes_its_connection"],
        INPUTS: ["test_a_message_over_the_platforms_limit_closes_its_connection"],
    },
    'a flood over `options["rate"]` from one of a hundred connections': {
        LIMITS: [
            "test_a_flood_of_one_in_a_hundred_is_nobody_elses",
            "test_what_is_over_the_rate_closes",
        ]
    },
    "a frame that breaks the WebSocket protocol": {
        CLOSING: ["test_a_broken_frame_is_an_error_and_then_a_close"]
    },
    "a slow reader among fast ones": {INPUTS: ["test_a_slow_reader_keeps_nobody_waiting"]},
    "a message after the room has closed the connection": {
        INPUTS: ["test_a_message_behind_the_rooms_close_is_dropped"]
    },
    "JSON with thousands of brackets inside each other": {
        INPUTS: ["test_json_of_thousands_of_brackets_is_a_value_error"]
    },
    "JSON with `NaN`, `Infinity`, or a number such as `1e999`": {
        VALUES: ["test_a_number_that_json_cannot_hold_is_read_from_no_message"],
    },
    "JSON with keys such as `constructor`, `__proto__`, `toString`": {
        VALUES: [
            "test_any_word_may_be_a_key_of_a_state",
            "test_any_word_may_be_the_name_of_a_column",
            "test_any_word_may_be_a_key_of_what_is_sent_over_rpc_or_stored",
        ],
        "partykit/test_storage.py": ["test_any_word_may_be_a_key_of_a_value"],
    },
    "a socket that your own code accepted with `ctx.acceptWebSocket`": {
        CONNECTIONS: ["test_sockets_that_user_code_accepted_are_ignored"]
    },
    # Typed messages
    "text that is no JSON object, has an unknown `type`, or does not validate": {
        EVENTS: ["test_what_does_not_validate_is_answered_with_what_is_wrong_and_where"]
    },
    "an event nested 100,000 levels deep, or with a number that no browser has": {
        EVENTS: ["test_hostile_texts_are_answered_and_nobody_else_notices"]
    },
    "an error, or a `type`, of a megabyte": {
        EVENTS: ["test_hostile_texts_are_answered_and_nobody_else_notices"]
    },
    "half a surrogate pair in an event": {
        EVENTS: ["test_hostile_texts_are_answered_and_nobody_else_notices"]
    },
    "an event for clients that is nested too deeply, or has NaN or infinity in it": {
        EVENTS: ["test_what_json_cannot_hold_is_not_sent"]
    },
    # Documents
    "a binary message that is no frame of Yjs, an update that ends early or has more behind it, a "
    "length that lies": {
        DOCUMENTS["malformed"]: [
            "test_a_malformed_frame_is_dropped",
            "test_after_a_few_the_connection_is_closed",
        ]
    },
    "an update that some client could not read: texts that are not UTF-8, embeds that are not "
    "JSON, values nested more than 500 deep": {
        DOCUMENTS["malformed"]: ["test_a_malformed_frame_is_dropped"],
        DOCUMENTS["structs"]: ["test_texts_are_utf_8", "test_embeds_and_formats_are_json"],
        DOCUMENTS["hostile"]: ["test_a_message_full_of_levels_is_refused"],
    },
    "an update that would take long to read, as one with millions of deletions": {
        DOCUMENTS["hostile"]: ["test_a_message_full_of_it_is_refused"]
    },
    "a frame of a type that nobody knows": {DOCUMENTS["sync"]: ["test_other_frames_are_ignored"]},
    "an edit of a connection that may only read": {
        DOCUMENTS["sync"]: ["test_who_may_only_read_changes_nothing_and_is_told_so_once"]
    },
    "an edit that goes on from one that never came": {
        DOCUMENTS["sync"]: ["test_who_sends_on_from_what_was_lost_is_asked_for_it_once"]
    },
    "an edit that would make the document larger than a room can load, some 12 MB or 110,000 "
    "pieces": {
        DOCUMENTS["storage"]: ["test_a_document_is_no_larger_than_it_can_be_loaded_again"],
        "yjs/test_bounds.py": ["test_loading_and_writing_a_document_takes_no_more"],
    },
    "what goes on from an edit that was refused so": {
        DOCUMENTS["storage"]: [
            "test_what_goes_on_from_a_refused_edit_is_not_taken_before_that_one_is"
        ]
    },
    "an edit whose storing fails": {
        DOCUMENTS["sync"]: ["test_a_deletion_that_could_not_be_stored_is_asked_for"]
    },
    "more than 20 questions for the whole document by one connection, and 20 more a minute": {
        DOCUMENTS["storage"]: [
            "test_one_connection_asks_for_all_so_often_and_for_what_it_lacks_as_often_as_it_likes"
        ]
    },
    "one that it gives in a transaction that is undone": {
        DOCUMENTS["sync"]: [
            "test_what_a_transaction_of_the_storages_own_undoes_nobody_hears_of",
            "test_what_is_undone_was_never_there",
        ]
    },
    "questions whose answers have more than 16 MB, and 250 KB more each second": {
        DOCUMENTS["storage"]: ["test_one_connection_is_told_so_many_bytes_for_the_asking"],
        "yjs/test_budgets.py": ["test_small_answers_cost_nothing"],
    },
    "an awareness state that is no object, or of more than 100 clients, or 2,000,000 characters": {
        DOCUMENTS["awareness"]: [
            "test_what_some_client_could_not_read_is_refused",
            "test_one_connection_speaks_for_few",
            "test_a_frame_has_no_more_than_a_room",
        ],
        DOCUMENTS["malformed"]: ["test_a_malformed_frame_is_dropped"],
    },
    "awareness states of more than 131,072 characters by one connection, or 2,000,000 in the "
    "room": {
        DOCUMENTS["awareness"]: [
            "test_one_connection_has_room_for_so_much",
            "test_a_room_has_room_for_so_much",
        ],
        "yjs/test_pointing.py": ["test_one_connection_has_room_for_few_long_states"],
    },
    "an awareness clock above 2<sup>31</sup>, or 100,000 above that client's last one": {
        DOCUMENTS["awareness"]: ["test_clocks_far_above_the_last_one_are_passed_over"],
        "yjs/test_pointing.py": ["test_nobody_uses_up_the_clocks_of_somebody_else"],
    },
    "an awareness state that is known": {
        DOCUMENTS["awareness"]: ["test_what_is_told_is_what_was_new_once_for_each_client"],
        "yjs/test_echoes.py": ["test_echoes_go_to_nobody"],
    },
    "an update that the room's code gives, and is none": {
        DOCUMENTS["sync"]: ["test_the_rooms_own_edits_go_to_all"]
    },
    # Storage
    "a key of `kv` that is empty, too long, or has half a surrogate pair": {
        STORAGE: ["test_what_cannot_be_stored_changes_nothing"]
    },
    "a value of `kv` that is too large, too deep, or holds itself": {
        STORAGE: [
            "test_what_cannot_be_stored_changes_nothing",
            "test_the_size_of_a_value_is_the_platforms",
        ]
    },
    "a value that has no counterpart in JavaScript": {
        STORAGE: ["test_what_cannot_be_stored_changes_nothing"],
        "rules/test_cloning.py": ["test_anything_else_is_a_type_error_that_names_it"],
    },
    "a query for one row that has millions": {STORAGE: ["test_one_row_and_one_value"]},
    "a BLOB or an infinite number for `sql_json`": {
        STORAGE: ["test_what_json_has_not_is_an_error_that_names_its_column"]
    },
    "a column called `__proto__`": {
        STORAGE: ["test_a_column_may_be_called_proto_also_where_the_query_does_not_say_so"]
    },
    "an `async` function for `transaction`, or one that returns something to await": {
        STORAGE: ["test_what_would_be_done_after_its_end_is_no_transaction"]
    },
    "a statement of `migrations` that fails half-way, has changed, or is missing": {
        MIGRATIONS: [
            "test_one_that_fails_half_way_leaves_nothing_and_the_next_start_tries_again",
            "test_a_changed_one_is_an_error_that_names_it",
            "test_fewer_than_have_run_are_a_warning",
        ]
    },
    # Presence and history
    "a key that is empty, no `str`, over 256 bytes or half a surrogate pair; "
    "a meta that is no JSON, or does not fit": {
        "capabilities/test_presence.py": ["test_what_cannot_be_tracked_changes_nothing"],
        "rules/test_presence.py": [
            "test_anything_else_is_no_key",
            "test_what_json_has_not_is_no_meta",
        ],
    },
    "a key such as `__proto__`, or `10`": {
        "rules/test_presence.py": ["test_a_key_is_any_short_text"]
    },
    "peers that vanish all at once while the room sleeps": {
        "capabilities/test_presence.py": [
            "test_peers_that_vanish_while_the_room_sleeps_are_gone_at_once"
        ]
    },
    "`since` that is negative, larger than the last number, 400 digits long, empty, `abc`, `1.5`, "
    "` 5`, digits of other scripts": {
        "capabilities/test_history.py": ["test_a_client_is_told_of_what_is_gone"],
        "rules/test_history.py": ["test_anything_else_is_none"],
    },
    "a published value that is no JSON, nested 100,000 deep, or over 1,900,000 bytes": {
        "capabilities/test_history.py": ["test_what_cannot_be_published_is_not_numbered"]
    },
    "a clock that goes back": {
        "capabilities/test_history.py": ["test_a_clock_that_goes_back_takes_nothing_with_it"]
    },
    # HTTP
    "JSON nested deeply in a body, read with `await request.json()` in a room, the worker or "
    "a hook before a room": {VALUES: ["test_deep_json_in_a_body_is_a_value_error"]},
    "the same to a FastAPI or Starlette app, or in `WebSocket.receive_json`": {
        "asgi/test_sharing.py": [
            "test_deep_json_in_a_body_is_an_error_of_that_request",
            "test_deep_json_on_a_socket_is_a_value_error",
        ]
    },
    "an unknown party, beside an ASGI app, HTTP or WebSocket": {
        "asgi/test_rooms.py": ["test_an_unknown_party_is_refused_and_not_handed_to_the_app"]
    },
    "a client that leaves in the middle of a stream, an upload or a WebSocket of an ASGI app": {
        "asgi/test_leaving.py": [
            "test_a_client_that_leaves_a_stream_is_no_error",
            "test_a_client_that_leaves_a_socket_is_no_error",
        ]
    },
    "a client that leaves in the middle of a body that a room or a hook reads": {
        BODIES: ["test_half_a_body_never_looks_whole"]
    },
    "a value nested deeply over RPC": {VALUES: ["test_a_deep_value_over_rpc_fails_its_call_only"]},
    "a body of any size, to a room or from it": {BODIES: ["test_a_large_body_streams_through"]},
    "a body that a hook before the room has read": {
        BODIES: ["test_a_body_that_a_hook_has_read_is_there_for_the_room"]
    },
    "a body that such a hook has read from the JavaScript request, `request.js_object`": {
        BODIES: ["test_a_hook_that_reads_behind_the_librarys_back_is_told_how"]
    },
    "a request that fails on its way and is too large to be tried again": {
        HTTP: ["test_only_what_the_platform_calls_retryable_is_tried_again"]
    },
    "a `ClientError` of an ASGI app that has begun to answer": {
        GUESTS: ["test_what_is_told_too_late_is_a_failure"]
    },
    # Closing
    "a close with a code": {
        CLOSING: [
            "test_a_clients_close_is_answered_at_once_with_its_code",
            "test_a_close_is_answered_although_on_close_raises",
            "test_a_hook_that_closes_in_on_close_chooses_the_answer",
        ]
    },
    "a close with a code that no frame may hold (0, 999, 1005, 1006, 1015, 5000)": {
        INPUTS: ["test_a_close_code_that_may_not_be_sent_is_never_echoed"]
    },
    "a close without a code (1005)": {
        CLOSING: ["test_a_close_without_a_code_is_answered_without_one"]
    },
    "a client that vanishes (1006), or whose TLS breaks (1015)": {
        CLOSING: ["test_a_client_that_vanishes_is_closed_with_1006"]
    },
    '`connection.close` with 0, 999, 1001, 1005, 2999, 5000, `"x"`': {
        CLOSING: ["test_a_code_that_may_not_be_sent_is_a_value_error"]
    },
    "a reason of 124 bytes, or cut inside a character": {
        CLOSING: ["test_a_reason_that_may_not_be_sent_is_a_value_error"]
    },
    "`close` on a closed connection": {
        CLOSING: ["test_the_server_closes_with_a_code_and_on_close_runs_once"],
        INPUTS: ["test_a_send_to_a_peer_that_is_gone_raises_and_a_close_is_nothing"],
    },
    "`send` after `close`, in `on_close`, or to a peer that is known to be gone": {
        CLOSING: ["test_the_server_closes_with_a_code_and_on_close_runs_once"],
        INPUTS: [
            "test_in_on_close_nothing_can_be_sent",
            "test_a_send_to_a_peer_that_is_gone_raises_and_a_close_is_nothing",
        ],
    },
    # Your own code
    "a hook that raises, plain or `async`": {
        FAILURES: [
            "test_a_failed_upgrade_tells_an_id_and_no_details",
            "test_a_message_hook_that_raises_fails_its_message_only",
            "test_a_failed_request_is_a_500_with_an_id_that_stands_in_the_log",
        ],
        HTTP: ["test_hooks_before_a_request_can_answer_replace_and_fail_it"],
        CLOSING: ["test_a_close_is_answered_although_on_close_raises"],
        INPUTS: [
            "test_a_connection_ends_although_on_error_raises",
            "test_an_alarm_that_raises_is_reported_and_tried_again",
            "test_an_on_exception_that_raises_itself_is_logged",
        ],
    },
    "a `ClientError` in a hook, also with half a surrogate pair in it": {
        TELLING: [
            "test_a_request_gets_the_status_and_the_message",
            "test_an_upgrade_gets_a_frame_and_is_closed",
            "test_a_message_gets_a_frame",
        ],
        GUESTS: ["test_an_app_tells_clients", "test_an_app_tells_clients_on_its_sockets"],
    },
    "a `ClientError` in `on_start`": {TELLING: ["test_what_a_start_tells_is_a_failure"]},
    "`on_start` that raises twice and then works": {
        FAILURES: ["test_the_first_events_fail_while_on_start_raises_and_then_service_is_normal"]
    },
    "`on_start` that never finishes": {
        INPUTS: ["test_an_on_start_that_never_finishes_is_ended_by_the_platform"]
    },
    "a state over the limit": {
        CONNECTIONS: ["test_a_state_over_the_limit_is_refused_and_the_old_one_stands"]
    },
    "a state that is not JSON-like": {
        INPUTS: ["test_a_state_that_is_not_json_like_is_a_type_error_and_the_old_one_stands"]
    },
    "a state nested more than 500 levels deep, or that holds itself": {
        VALUES: ["test_a_state_is_kept_up_to_a_depth_and_refused_beyond"],
        "rules/test_cloning.py": ["test_a_state_nested_deeper_is_a_value_error"],
    },
    "NaN or infinity in a state": {VALUES: ["test_a_sleep_changes_no_state"]},
    "NaN or infinity in props, or in `send_json`": {
        VALUES: ["test_a_number_that_json_cannot_hold_is_sent_to_nobody"],
        STARTING: ["test_what_starts_when"],
    },
    "`sys.exit()` in a hook, a task or a callback": {
        HOSTILE: [
            "test_an_exiting_message_hook_ends_neither_room_nor_connection",
            "test_an_exit_behind_a_hook_ends_nothing",
        ]
    },
    "an endless loop, or a `threading.Lock` held across an `await`": {
        "testing/test_hangs.py": ["test_a_hang_fails_the_test_that_waits_and_no_other"]
    },
    "an asyncio object of a module that two rooms wait for": {
        "contracts/test_waiting.py": ["test_a_message_hook_goes_on_in_its_own_room"]
    },
    "`self.ctx.waitUntil(coroutine)`": {HOSTILE: ["test_what_is_given_to_wait_until_runs"]},
    "props for `set_name` when `on_start` has run": {STARTING: ["test_what_starts_when"]},
    "`send` of something that is neither text nor binary": {
        MESSAGES: ["test_send_takes_text_and_binary_only"]
    },
    "`on_request` that returns no `Response`": {
        FAILURES: ["test_on_request_must_return_a_response"]
    },
    "a variable, secret or binding that the worker has not (`self.env.SECRET`)": {
        "contracts/test_advice.py": [
            "test_a_missing_binding_tells_what_there_is_and_where_it_goes",
            "test_a_missing_binding_is_an_attribute_error_as_ever",
        ]
    },
    "an `await` left out before a call of `self.ctx.storage`, a stub or a binding": {
        "contracts/test_advice.py": [
            "test_a_forgotten_await_on_storage_names_its_line",
            "test_a_forgotten_await_on_a_stub_names_its_line",
        ]
    },
    "a query that fails, a parameter that SQLite cannot hold": {
        FAILURES: ["test_a_state_or_query_that_fails_in_a_hook_is_reported_once"],
        HTTP: ["test_sql_takes_and_gives_python_values"],
    },
    "an unknown option, a reserved method (`alarm`, `webSocketMessage`, ...), "
    "a hook in camelCase or with other parameters": {
        "rules/test_contract.py": [
            "test_the_runtimes_own_handlers_are_refused_for_the_hook",
            "test_typescripts_spellings_are_refused_for_pythons",
            "test_a_hook_that_takes_less_or_more_is_a_type_error_with_the_names",
        ],
        "rules/test_options.py": [
            "test_an_unknown_option_is_a_type_error_that_lists_the_known_ones"
        ],
    },
    "a public method whose name is one letter away from a hook's (`on_mesage`)": {
        "rules/test_contract.py": ["test_a_misspelt_hook_is_refused_for_the_hook"]
    },
    "a number, `None` or another value in `exclude`": {
        MESSAGES: ["test_exclude_takes_nothing_else"]
    },
    "a state from a connection that is readonly, one that `validate_state_change` refuses, "
    "or of more than 1,900,000 bytes": {
        AGENTS["connections"]: ["test_a_readonly_connection_hears_of_the_state_and_may_not_set_it"],
        AGENTS["state"]: ["test_a_refused_state_is_healed_in_the_client_that_has_sent_it"],
    },
    "a call of a method that is not decorated, of a property, or of what there is not": {
        AGENTS["callables"]: ["test_what_is_not_decorated_cannot_be_called"]
    },
    "arguments that are missing, too many, or of another type": {
        AGENTS["callables"]: ["test_arguments_are_checked_and_the_wrong_one_is_named"]
    },
    "what is no frame of the SDK's, binary, or nested 100,000 levels deep": {
        AGENTS["callables"]: [
            "test_what_is_no_frame_of_the_agents_is_the_hooks",
            "test_json_that_would_end_the_process_is_no_frame",
        ]
    },
    "an answer to a client that has gone": {
        AGENTS["callables"]: [
            "test_an_answer_to_a_closed_socket_is_dropped",
            "test_a_stream_to_a_closed_socket_is_dropped",
        ]
    },
    "a client that asks for Cap'n Web, or for a sub-agent": {
        AGENTS["routing"]: [
            "test_who_asks_for_what_there_is_not_is_turned_away_for_good",
            "test_also_past_the_router",
        ]
    },
    "an eviction between any two events": {
        MODEL: ["test_random_histories_go_as_in_the_model"],
        MESSAGES: ["test_messages_of_one_sender_keep_their_order_across_an_eviction"],
    },
}


def test_the_table_has_the_rows_of_the_page():
    lines = [re.split(r"(?<!\\) \| ", line)[0] for line in PAGE.read_text().splitlines()]
    rows = {line.removeprefix("| ") for line in lines if line.startswith("| ")} - {"input"}
    assert sorted(rows) == sorted(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_exist(row):
    for module, names in ROWS[row].items():
        assert set(names) <= definitions(module)


@cache
def definitions(module):
    tree = ast.parse((TESTS / module).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
