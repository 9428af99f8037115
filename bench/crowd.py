"""People at the desk, speaking Streamlit's own protocol: each decides the task shown, thinks, decides the next."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench.program import Program
from review.settings import settings
from review.store.secrets import cookie_secret


@dataclass
class Shown:
    """What a person's desk shows: the component's id, the fragment it lies in, and the task."""

    component: str = ""
    fragment: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class Crowd:
    """Everybody at once; `took` holds the seconds of each click, from press to the end of the run it started."""

    program: Program
    seconds: float
    think_seconds: float
    took: list[float] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def work(self) -> None:
        """Let everyone work until the time is over."""
        end = time.perf_counter() + self.seconds
        await asyncio.gather(*(self._person(name, end) for name in self.program.usernames))

    async def _person(self, username: str, end: float) -> None:
        await asyncio.sleep(random.random() * 5)
        address = self.program.url.replace("http", "ws", 1) + "/_stcore/stream"
        headers = {"Cookie": f"holdpoint={self._cookie(username)}"}
        async with websockets.connect(
            address, subprotocols=["streamlit"], max_size=None, additional_headers=headers
        ) as socket:
            shown = Shown()
            await self._open(socket, shown)
            await self._act(socket, shown, {"action": "claim"})
            while time.perf_counter() < end:
                await asyncio.sleep(random.expovariate(1 / self.think_seconds))
                await self._decide(socket, shown)

    def _cookie(self, username: str) -> str:
        """What signing in leaves in the browser."""
        now = datetime.now(UTC)
        until = now + timedelta(days=settings().sign_in_days)
        claims = {"username": username, "exp_date": until.timestamp(), "issued_at": now.isoformat()}
        return jwt.encode(claims, cookie_secret(self.program.folder), algorithm="HS256")

    async def _open(self, socket: Any, shown: Shown) -> None:
        message = BackMsg()
        message.rerun_script.page_name = "desk"
        await socket.send(message.SerializeToString())
        while not shown.component:
            await self._until_done(socket, shown)

    async def _decide(self, socket: Any, shown: Shown) -> None:
        task = shown.data["task"]
        act = {"action": "approve", "lease": task["lease"], "item_version": task["item_version"]}
        begun = time.perf_counter()
        await self._act(socket, shown, {**act, "labels": [], "spans": [], "note": ""})
        self.took.append(time.perf_counter() - begun)
        self.decided.append(task["id"])
        message = shown.data.get("message")
        if message and message["kind"] == "error":
            self.errors.append(message["text"])

    async def _act(self, socket: Any, shown: Shown, act: dict[str, Any]) -> None:
        message = BackMsg()
        rerun, turn = message.rerun_script, shown.data["turn"]
        rerun.fragment_id = shown.fragment
        own = rerun.widget_states.widgets.add()
        own.id, own.json_value = shown.component, "{}"
        state = rerun.widget_states.widgets.add()
        state.id = f"$$STREAMLIT_INTERNAL_KEY_{shown.component}__events"
        state.json_trigger_value = json.dumps([{"event": "act", "value": act}])
        await socket.send(message.SerializeToString())
        while shown.data["turn"] == turn:
            await self._until_done(socket, shown)

    async def _until_done(self, socket: Any, shown: Shown) -> None:
        while True:
            message = ForwardMsg()
            message.ParseFromString(await asyncio.wait_for(socket.recv(), 60))
            if message.WhichOneof("type") == "delta":
                self._see(message.delta, shown)
            elif message.WhichOneof("type") == "script_finished":
                return

    def _see(self, delta: Any, shown: Shown) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(element.exception.message[:200])
        if kind == "bidi_component" and element.bidi_component.component_name == "holdpoint.workbench":
            shown.component, shown.fragment = element.bidi_component.id, delta.fragment_id
            shown.data = json.loads(element.bidi_component.json or element.bidi_component.mixed.json)
