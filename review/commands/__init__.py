"""One change each: session, actor, arguments and now in; the changed row out. Never commits."""
