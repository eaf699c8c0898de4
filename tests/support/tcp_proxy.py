"""A TCP proxy between two parts of a cluster, that breaks what goes through it.

    with TcpProxy(target_port) as link:
        link.port                       # what is connected to in place of the target
        link.blackhole()                # nothing goes through, nobody is told; new connections too
        link.refuse()                   # all connections are reset, and new ones
        link.delay(0.5)                 # each piece comes so much later
        link.slice(1, 0.001)            # in pieces of one byte
        link.bandwidth(8_000)           # bytes a second and direction
        link.limit(4_000)               # a connection is reset after so many bytes of an answer
        link.answer(b"HTTP/1.1 500 ...")  # to whoever says something, in place of the target
        link.reset()                    # those that are open now
        link.heal()                     # as it was

`renamed` is the port that Kafka's broker tells its clients to come to: they are told the proxy's.

Threading: a thread with a loop of its own; the methods from any thread. Each connection costs two coroutines.
"""

import asyncio
import contextlib
import socket
import struct
import threading
import time

PIECE = 64 * 1024
LOOPBACK = "127.0.0.1"


class Weather:
    def __init__(self):
        self.stuck = self.refused = False
        self.delay_s = self.pause_s = 0.0
        self.piece = self.per_second = self.most = 0
        self.answer = b""


class TcpProxy:
    def __init__(self, target_port, *, renamed=None):
        self.target_port, self.renamed = target_port, renamed
        self.weather, self.open = Weather(), set()
        self.served = 0  # connections
        self.listening = socket.create_server((LOOPBACK, 0), backlog=512)
        self.port = self.listening.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, name=f"proxy-{self.port}", daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- what goes wrong
    def set(self, **what):
        weather = Weather()
        vars(weather).update(what)
        self.weather = weather

    def heal(self):
        was, self.weather = self.weather, Weather()
        if was.stuck:  # what was swallowed will not come any more
            self.reset()

    def blackhole(self):
        self.set(stuck=True)

    def refuse(self):
        self.set(refused=True)
        self.reset()

    def delay(self, seconds):
        self.set(delay_s=seconds)

    def slice(self, size, pause_s):
        self.set(piece=size, pause_s=pause_s)

    def bandwidth(self, per_second):
        self.set(per_second=per_second)

    def limit(self, most):
        self.set(most=most)

    def answer(self, data):
        self.set(answer=data)
        self.reset()

    def reset(self):
        def all_of_them():
            for writer in list(self.open):
                cut(writer)

        self.loop.call_soon_threadsafe(all_of_them)

    def close(self):
        if not self.thread.is_alive():
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    # --- the thread
    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, sock=self.listening, limit=PIECE)
        )
        self.loop.run_forever()
        server.close()
        for writer in list(self.open):
            cut(writer)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def serve(self, reader, writer):
        if self.weather.refused:
            return cut(writer)
        if self.weather.answer:
            return await self.answer_one(reader, writer)
        try:
            there, back = await asyncio.open_connection(LOOPBACK, self.target_port, limit=PIECE)
        except OSError:
            return cut(writer)
        self.served += 1
        ends = (writer, back)
        self.open.update(ends)
        try:
            await asyncio.gather(
                self.carry(reader, back, ends, answers=False), self.carry(there, writer, ends, answers=True)
            )
        finally:
            for end in ends:
                cut(end)
                self.open.discard(end)

    async def answer_one(self, reader, writer):
        self.open.add(writer)
        with contextlib.suppress(OSError):
            if await reader.read(PIECE):
                writer.write(self.weather.answer)
                await writer.drain()
            # The rest of what it sends is taken, or it would be told of a reset before it reads.
            while await asyncio.wait_for(reader.read(PIECE), 2):
                pass
        with contextlib.suppress(Exception):
            writer.close()
        self.open.discard(writer)

    async def carry(self, reader, writer, ends, *, answers):
        carried = 0
        rest = b""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(PIECE):
                while self.weather.stuck:
                    await asyncio.sleep(0.05)
                if answers and self.renamed:
                    data, rest = self.rename(rest + data)
                if self.weather.delay_s:
                    await asyncio.sleep(self.weather.delay_s)
                carried += len(data)
                if answers and 0 < self.weather.most < carried:
                    break
                await self.write(writer, data)
            else:
                if rest:
                    await self.write(writer, rest)
        for end in ends:
            cut(end)

    async def write(self, writer, data):
        """As the weather of now lets it through."""
        size = self.weather.piece or len(data) or 1
        begun, sent = time.monotonic(), 0
        for at in range(0, len(data), size):
            writer.write(data[at : at + size])
            await writer.drain()
            sent += min(size, len(data) - at)
            if self.weather.piece:
                await asyncio.sleep(self.weather.pause_s)
        if self.weather.per_second:
            await asyncio.sleep(max(0, begun + sent / self.weather.per_second - time.monotonic()))

    def rename(self, data):
        """Where the broker says to be found; what may be the beginning of that waits for the rest."""
        host = LOOPBACK.encode()
        old, new = (host + struct.pack(">i", port) for port in (self.renamed, self.port))
        data = data.replace(old, new)
        for length in range(min(len(old) - 1, len(data)), 0, -1):
            # A frame never ends inside a host: so much of it is certainly followed by more.
            if length > 4 and data.endswith(old[:length]):
                return data[:-length], data[-length:]
        return data, b""


def cut(writer):
    """A reset, not an orderly end."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(Exception):
        writer.transport.abort()
