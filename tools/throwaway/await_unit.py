"""Runs inside a host: waits for systemd's own signals until a unit is in a wanted state.

Arguments: UNIT STATES(comma separated) OTHER_THAN_INVOCATION(may be empty) SECONDS. Ends with 1 if in vain.
"""

import sys
import time
from typing import Any

from jeepney import DBusAddress, MatchRule, Properties, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection
from jeepney.wrappers import unwrap_msg

UNIT, STATES, OTHER_THAN, SECONDS = sys.argv[1], sys.argv[2].split(","), sys.argv[3], float(sys.argv[4])
SYSTEMD = "org.freedesktop.systemd1"
MANAGER = DBusAddress("/org/freedesktop/systemd1", SYSTEMD, SYSTEMD + ".Manager")


def seen(connection: DBusConnection) -> tuple[str, str]:
    """The unit's ActiveState and InvocationID, asked for now."""
    (path,) = unwrap_msg(connection.send_and_get_reply(new_method_call(MANAGER, "LoadUnit", "s", (UNIT,))))
    properties: dict[str, Any] = {}
    for name in ("ActiveState", "InvocationID"):
        ask = Properties(DBusAddress(path, SYSTEMD, SYSTEMD + ".Unit")).get(name)
        ((_, properties[name]),) = unwrap_msg(connection.send_and_get_reply(ask))
    return properties["ActiveState"], bytes(properties["InvocationID"]).hex()


def main() -> int:
    """Subscribes first and looks then, so that no change can slip between."""
    deadline = time.monotonic() + SECONDS
    with open_dbus_connection(bus="SYSTEM") as connection:
        changed = MatchRule(
            type="signal", sender=SYSTEMD, interface="org.freedesktop.DBus.Properties", member="PropertiesChanged"
        )
        Proxy(message_bus, connection).AddMatch(changed)
        connection.send_and_get_reply(new_method_call(MANAGER, "Subscribe"))
        while True:
            state, invocation = seen(connection)
            if state in STATES and invocation != OTHER_THAN:
                return 0
            with connection.filter(changed) as signals:
                try:
                    connection.recv_until_filtered(signals, timeout=min(1.0, deadline - time.monotonic()))
                except TimeoutError:
                    if time.monotonic() >= deadline:
                        print(f"{UNIT} is {state}, invocation {invocation}", file=sys.stderr)
                        return 1


sys.exit(main())
