"""The network of a booted host: links, default routes and name servers that are lost for real, and come back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.system.units import service
from tests.system.ward import Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

OFTEN = "[component.network]\ninterval_seconds = 0.5\nfailures = 1\nsuccesses = 1\n"

ROUTE = "ip route add default via 192.0.2.254 dev lan0"
LAN = f"""
ip link add lan0 type veth peer name veth-far
ip addr add 192.0.2.1/24 dev lan0
ip link set veth-far up
ip link set lan0 up
{ROUTE}
"""

FLOOD = """ip neigh replace 192.0.2.254 lladdr 02:00:00:00:00:01 dev lan0
python3 -c 'import socket
to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(100): to.sendto(bytes(1200), ("192.0.2.254", 9))'
"""
"""A hundred packets that the other end of the link will not take: it was given a smaller MTU."""

SERVER = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
    made.bind(("127.0.0.1", 53))
    while True:
        asked, whom = made.recvfrom(512)
        made.sendto(asked[:2] + b"\\x81\\x85" + asked[4:], whom)
"""


def seen(ward: Ward) -> tuple[str, dict[str, str]]:
    """The component's status and its items' messages after a look at it now."""
    ward.healthctl("check", "network")
    component: dict[str, Any] = ward.ask("status", "network")
    return component["status"], {item["name"]: item["message"] for item in component["items"]}


def lost_and_found(ward: Ward, item: str, lose: str, find: str) -> str:
    """Has something of the network go and come back; returns what was said when it had gone."""
    cursor = ward.host.cursor()
    ward.host.sh(lose)
    record = ward.await_event(cursor, "issue_opened", component="network", item=item, issue="network_error")
    ward.host.sh(find)
    ward.await_event(cursor, "issue_resolved", component="network", item=item)
    return record["MESSAGE"]


def test_links_routes_and_name_servers_that_go_are_seen_until_they_are_back(host: Host) -> None:
    ward = Ward(host=host)
    assert seen(ward)[0] == "healthy"

    host.sh(LAN)
    ward.configure(OFTEN)
    status, messages = seen(ward)
    assert (status, messages["route"]) == ("healthy", "default route: IPv4 by lan0")
    assert messages.keys() == {"lan0", "route"}

    assert "lan0 has lost its link" in lost_and_found(
        ward, "lan0", "ip link set veth-far down", "ip link set veth-far up"
    )
    assert "the default route for IPv4 is gone" in lost_and_found(ward, "route", "ip route del default", ROUTE)

    said = lost_and_found(ward, "lan0", f"ip link set veth-far mtu 576; {FLOOD}", "ip link set veth-far mtu 1500")
    assert re.search(r"lan0 lost \d+ packets by errors and drops within 0.5 s", said)

    host.write("/root/server.py", SERVER)
    ward.add(service("/usr/bin/python3 /root/server.py"), name="names.service", enable=False, start=False)
    said = lost_and_found(
        ward, "resolver", "echo nameserver 127.0.0.1 > /etc/resolv.conf", "systemctl start names.service"
    )
    assert "127.0.0.1 does not answer: connection refused" in said

    status, messages = seen(ward)
    assert (status, messages["resolver"]) == ("healthy", "127.0.0.1 answers")
    assert "B/s in" in messages["lan0"]
    assert [each for each in ward.ask("issues") if each["component"] == "network"] == []
