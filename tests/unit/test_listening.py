"""The socket on which `comity serve` and `comity witness` listen."""

from __future__ import annotations

import asyncio
import socket

from comity.app.listening import listening


def test_answers_are_sent_at_once_and_wait_for_no_acknowledgement() -> None:
    async def told(listener: socket.socket) -> int:
        found = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(connected, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            is_set = await found
            writer.close()
            await writer.wait_closed()
            return is_set

    with listening("127.0.0.1", 0, backlog=5) as listener:
        assert asyncio.run(told(listener)) != 0
