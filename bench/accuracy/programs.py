"""What runs on the hosts of the scenes: a server of every kind that does what its file of orders says just then."""

from __future__ import annotations

from typing import Final

SERVER: Final = "/opt/scene/server.py"

_SERVER: Final = r'''
"""server.py KIND WHERE ORDERS [DELAY]: serves http, https, dns, or a greeting by tcp or unix; READY when it does."""
import os, socket, ssl, struct, sys, threading, time

kind, where, orders, delay = sys.argv[1], sys.argv[2], sys.argv[3], float((*sys.argv, "0")[4])

def order():
    """The word and its argument. `fail N` fails N times and is `ok` then."""
    try:
        word, _, rest = open(orders).read().strip().partition(" ")
    except OSError:
        return "ok", ""
    if word == "fail":
        left = int(rest) - 1
        with open(orders, "w") as file:
            file.write(f"fail {left}" if left > 0 else "ok")
    return word, rest

def answer(status, body=b"ok\n", more=""):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body

def http(connection):
    asked = connection.recv(65536)
    path = (asked.split() + [b"", b""])[1]
    word, rest = order()
    if path == b"/good":
        return connection.sendall(answer(200))
    if word == "slow":
        time.sleep(float(rest))
    elif word == "hang":
        time.sleep(60)
    elif word == "close":
        return
    elif word == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    elif word == "garbage":
        return connection.sendall(b"\0\1\2 not http at all\r\n\r\n")
    elif word == "fail":
        return connection.sendall(answer(500))
    elif word.isdigit():
        return connection.sendall(answer(int(word), rest.encode()))
    elif word == "body":
        return connection.sendall(answer(200, rest.encode()))
    elif word == "page":
        return connection.sendall(answer(200, open(rest, "rb").read()))
    elif word == "redirect":
        return connection.sendall(answer(302, b"", f"Location: {rest}\r\n"))
    elif word == "pieces":
        for piece in (b"HTTP/1.1 ", b"200 OK\r\nContent-Len", b"gth: 3\r\n", b"\r\no", b"k\n"):
            connection.sendall(piece)
            time.sleep(0.1)
        return
    elif word == "chunked":
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return connection.sendall(head + b"2\r\nok\r\n1\r\n\n\r\n0\r\n\r\n")
    elif word == "endless":
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nok\n")
        while True:
            connection.sendall(b"x" * 4096)
            time.sleep(0.01)
    elif word == "key":
        return connection.sendall(answer(200 if b"x-key: " + rest.encode() in asked.lower() else 401))
    connection.sendall(answer(200, b"" if asked.startswith(b"HEAD") else b"ok\n"))

def greet(connection):
    word, rest = order()
    if word == "slow":
        time.sleep(float(rest))
    elif word == "hang":
        time.sleep(60)
    elif word in ("close", "fail"):
        return
    elif word == "pong":
        connection.recv(100)
        return connection.sendall(b"+PONG\r\n")
    elif word == "text":
        return connection.sendall(rest.encode() + b"\r\n")
    elif word == "pieces":
        for letter in b"220 hello\r\n":
            connection.sendall(bytes([letter]))
            time.sleep(0.05)
        return
    connection.sendall(b"220 hello\r\n")

def dns(server):
    while True:
        asked, who = server.recvfrom(512)
        word, rest = order()
        if word in ("hang", "fail"):
            continue
        if word == "slow":
            time.sleep(float(rest))
        code = {"servfail": 2, "nxdomain": 3, "refused": 5}.get(word, 0)
        addresses = {"wrong": ["192.0.2.9"], "many": ["192.0.2.7", "192.0.2.1"], "empty": []}.get(word, ["192.0.2.1"])
        addresses = [] if code else addresses
        records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(each) for each in addresses)
        head = asked[:2] + bytes([0x81, 0x80 | code]) + b"\0\1" + struct.pack(">H", len(addresses)) + b"\0\0\0\0"
        server.sendto(head + asked[12:] + records, who)

def one(connection, do):
    with connection:
        try:
            do(connection)
        except OSError:
            pass

time.sleep(delay)
if kind == "unix":
    if os.path.exists(where):
        os.unlink(where)
    server = socket.socket(socket.AF_UNIX)
    server.bind(where)
    os.chmod(where, 0o666)
    server.listen()
elif kind == "dns":
    server = socket.socket(type=socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", int(where)))
else:
    server = socket.create_server(("127.0.0.1", int(where)))
if "NOTIFY_SOCKET" in os.environ:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
if kind == "dns":
    dns(server)
context = None
if kind == "https":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"/run/{os.path.basename(orders).rsplit('.', 1)[0]}.pem")
while True:
    try:
        connection, _ = server.accept()
        if context:
            connection.settimeout(5)
            connection = context.wrap_socket(connection, server_side=True)
    except OSError:  # a handshake that failed
        continue
    threading.Thread(target=one, args=(connection, http if kind.startswith("http") else greet), daemon=True).start()
'''

PROGRAMS: Final = {SERVER: _SERVER}
"""Texts by their paths."""
