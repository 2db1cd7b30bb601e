"""Epsilon's state machines in Apache Airflow: a connection type with its hook, an operator, a deferrable trigger, a sensor."""

from __future__ import annotations

__version__ = "0.1.0"


def get_provider_info() -> dict:
    """What Airflow's list of providers shows."""
    return {
        "package-name": "airflow-provider-epsilon",
        "name": "Epsilon",
        "description": "Starts the state machines of Epsilon, and waits for them.",
        "versions": [__version__],
        "connection-types": [
            {"connection-type": "epsilon", "hook-class-name": "epsilon_provider.hook.EpsilonHook"}
        ],
    }
