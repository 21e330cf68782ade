"""What the tests of values and their worker both know."""

#: Words that each JavaScript object knows without having them as keys.
WORDS = [
    "constructor", "__proto__", "prototype", "toString", "toLocaleString", "valueOf",
    "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "__defineGetter__",
    "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "then", "length", "size", "name",
    "message", "stack", "get", "set", "has", "next", "toJSON", "byteLength", "buffer", "js_id",
]  # fmt: skip
