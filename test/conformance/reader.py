"""A second implementation of perspective.v1, written from docs/PROTOCOL.md alone and with nothing but Python's library.

usage: reader.py HOST PORT PREFIX USERNAME PASSWORD

Logs in, opens a session with a mind, and prints one line of JSON for each thing it saw. Complete in reading values; of the
messages it says only what it needs.
"""

import base64
import http.client
import json
import os
import socket
import struct
import sys

HELLO, CALL, TELL, ANSWER, ERROR, RELEASE, CHUNK, END, CREDIT = 0, 1, 2, 3, 4, 5, 9, 10, 12
TAGGED = 16
NUMBERS = {'NaN': float('nan'), 'Infinity': float('inf'), '-Infinity': float('-inf'), '-0': -0.0}


class WebSocket:
    """RFC 6455, as far as a client needs it: no extension, no fragments of its own."""

    def __init__(self, host, port, path, protocols):
        self.socket = socket.create_connection((host, port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f'GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
            f'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n'
            f'Sec-WebSocket-Protocol: {", ".join(protocols)}\r\n\r\n'.encode()
        )
        self.file = self.socket.makefile('rb')
        self.status = self.file.readline().split()[1].decode()
        self.headers = {}
        while (line := self.file.readline().strip()) != b'':
            name, _, value = line.decode().partition(':')
            self.headers[name.lower()] = value.strip()

    def send(self, opcode, payload):
        mask = os.urandom(4)
        size = len(payload)
        if size < 126:
            head = struct.pack('!BB', 0x80 | opcode, 0x80 | size)
        else:
            head = struct.pack('!BBH', 0x80 | opcode, 0x80 | 126, size)
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def receive(self):
        """The next message as (is_text, bytes); None at the end."""
        parts = []
        first = None
        while True:
            head = self.file.read(2)
            if len(head) < 2:
                return None
            opcode, size = head[0] & 15, head[1] & 127
            if size == 126:
                (size,) = struct.unpack('!H', self.file.read(2))
            elif size == 127:
                (size,) = struct.unpack('!Q', self.file.read(8))
            payload = self.file.read(size)
            if opcode == 8:
                return None
            if opcode == 9:
                self.send(10, payload)
            if opcode > 7:
                continue
            first = opcode if first is None else first
            parts.append(payload)
            if head[0] & 0x80:
                return first == 1, b''.join(parts)


class Reference:
    def __init__(self, kind, id):
        self.kind, self.id = kind, id


def decode(value, take):
    """Section 5; `take(length)` gives the next bytes."""
    if isinstance(value, dict):
        return {key: decode(item, take) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if not value or not isinstance(value[0], str) or not value[0].startswith('$'):
        return [decode(item, take) for item in value]
    tag, rest = value[0], value[1:]
    if tag == '$':
        return [decode(item, take) for item in rest]
    if tag == '$u':
        return None
    if tag == '$n':
        return NUMBERS[rest[0]]
    if tag == '$d':
        return ('date', rest[0])
    if tag == '$i':
        return int(rest[0])
    if tag == '$m':
        return ('map', [(decode(key, take), decode(item, take)) for key, item in rest[0]])
    if tag == '$s':
        return ('set', [decode(item, take) for item in rest[0]])
    if tag == '$b':
        return take(rest[1])
    if tag == '$e':
        return ('error', rest[0], rest[1], [(key, decode(item, take)) for key, item in rest[2]])
    if tag in ('$r', '$f', '$y', '$t'):
        return Reference(tag, rest[0])
    raise ValueError(f'unknown tag {tag}')


class Session:
    def __init__(self, host, port, prefix, ticket, mind):
        path = f'{prefix}/socket'
        self.socket = WebSocket(host, port, path, ['perspective.v1', f'ticket.{ticket}'])
        assert self.socket.status == '101', self.socket.status
        assert self.socket.headers['sec-websocket-protocol'] == 'perspective.v1'
        self.mind = mind
        self.exports = {}
        self.chunks = {}
        self.ended = set()
        self.answers = {}
        self.hello = None
        self.last_id = 0
        self.say([HELLO, 1])

    def say(self, *messages):
        self.socket.send(1, json.dumps(messages).encode())

    def call(self, target, method, args, tagged=False):
        self.last_id += 1
        message = [CALL | (TAGGED if tagged else 0), self.last_id, target, method, args]
        return self.last_id, message + ([0] if tagged else [])

    def wait(self, condition):
        while not condition():
            frame = self.socket.receive()
            if frame is None:
                raise EOFError
            is_text, payload = frame
            if is_text:
                messages, rest = json.loads(payload), b''
            else:
                (size,) = struct.unpack('<I', payload[:4])
                messages, rest = json.loads(payload[4 : 4 + size]), payload[4 + size :]
            if messages and messages[-1] in (2, 3):
                is_text, rest = self.socket.receive()
                assert not is_text, 'announced bytes are the next frame'
            for message in messages:
                if isinstance(message, list):
                    rest = self.handle(message, rest)

    def handle(self, message, rest):
        kind, body = message[0] & ~TAGGED, message[1:]
        offset = 0

        def take(length):
            nonlocal offset
            offset += length
            return rest[offset - length : offset]

        if message[0] & TAGGED:
            own = body.pop()
            body = [decode(item, take) for item in body]
            assert offset == own, 'the bytes of a message are all spoken of'
        if kind == HELLO:
            self.hello = body
        elif kind == ANSWER:
            self.answers[body[0]] = ('value', body[1] if len(body) > 1 else None)
        elif kind == ERROR:
            self.answers[body[0]] = ('error', body[1])
        elif kind == CALL:
            id, target, method, args = body
            function = self.mind[method] if target == 0 else self.exports[target]
            self.say([ANSWER, id, function(*args)])
        elif kind == TELL:
            target, method, args = body
            (self.mind[method] if target == 0 else self.exports[target])(*args)
        elif kind == CHUNK:
            self.chunks.setdefault(body[0], []).append(body[1])
        elif kind == END:
            self.ended.add(body[0])
        return rest[offset:]

    def result(self, id):
        self.wait(lambda: id in self.answers)
        return self.answers[id]


def main():
    host, port, prefix, username, password = sys.argv[1:]
    port = int(port)

    def show(name, value):
        print(json.dumps({name: value}, default=lambda item: item.hex()))

    http_client = http.client.HTTPConnection(host, port, timeout=20)
    body = json.dumps({'username': username, 'password': password})
    http_client.request('POST', f'{prefix}/login', body, {'content-type': 'application/json'})
    response = http_client.getresponse()
    login = json.loads(response.read())
    show('login', [response.status, login['user']['username']])

    heard = []
    mind = {'ask': lambda question: question == 'really?', 'heard': heard.append}
    session = Session(host, port, prefix, login['ticket'], mind)
    session.wait(lambda: session.hello is not None)
    show('hello', session.hello[1]['user']['username'])

    id, message = session.call(0, 'echo', [{'text': 'caf\u00e9', 'list': [1, None]}])
    session.say(message)
    show('echo', session.result(id))

    id, message = session.call(0, 'everything', [])
    session.say(message)
    show('everything', session.result(id))

    # Many bytes are a frame of their own, both ways.
    many = bytes(range(256)) * 80
    id, message = session.call(0, 'echo', [['$b', 1, len(many)]], tagged=True)
    message[-1] = len(many)
    session.say(message, 2)
    session.socket.send(2, many)
    show('many bytes', session.result(id)[1] == many)

    id, message = session.call(0, 'decide', ['really?'])
    session.say(message)
    show('decide', session.result(id))

    # A reference and a call on it, in one frame.
    first, board = session.call(0, 'board', [])
    second, rename = session.call(-first, 'rename', ['mine'])
    session.say(board, rename)
    kind, reference = session.result(first)
    show('pipelined', session.result(second))
    session.say([RELEASE, reference.id, 1])

    # A callback of ours.
    calls = []
    session.exports[1] = lambda value: calls.append(value) or len(calls)
    id, message = session.call(0, 'each', [['$f', 1]], tagged=True)
    session.say(message)
    show('each', [session.result(id), calls])

    id, message = session.call(0, 'count', [])
    session.say(message)
    _, stream = session.result(id)
    session.say([CREDIT, stream.id, 65536])
    session.wait(lambda: stream.id in session.ended)
    show('stream', session.chunks[stream.id])

    id, message = session.call(0, 'constructor', [])
    session.say(message)
    show('refused', session.result(id))
    show('heard', heard)


main()
