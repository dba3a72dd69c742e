"""What is to be said about a row of a staffing plan: ids for programs, sentences for people."""

from __future__ import annotations

from enum import StrEnum

from workforce.erlang import TRAFFIC_ERL_MAX
from workforce.staffing_search import AGENTS_MAX
from workforce.uncertain_rate import RATE_CV_MAX


class Note(StrEnum):
    """What is to be said about a row; ``SENTENCES`` holds the English."""

    FINE = ""
    NO_CALLS = "no_calls"
    OCCUPANCY_DECIDES = "occupancy_decides"
    ABANDONMENT_DECIDES = "abandonment_decides"
    NEVER_DRAINS = "never_drains"
    MAY_OVERFLOW = "may_overflow"
    BAD_CALLS = "bad_calls"
    BAD_INTERVAL = "bad_interval"
    BAD_AHT = "bad_aht"
    BAD_TARGET = "bad_target"
    TARGET_IN_PERCENT = "target_in_percent"
    TARGET_UNREACHABLE = "target_unreachable"
    BAD_THRESHOLD = "bad_threshold"
    BAD_PATIENCE = "bad_patience"
    BAD_OCCUPANCY = "bad_occupancy"
    BAD_ABANDONMENT = "bad_abandonment"
    BAD_SHRINKAGE = "bad_shrinkage"
    BAD_RATE_CV = "bad_rate_cv"
    TOO_MUCH_TRAFFIC = "too_much_traffic"
    TOO_MANY_AGENTS = "too_many_agents"
    BAD_AGENTS = "bad_agents"


SENTENCES: dict[Note, str] = {
    Note.FINE: "",
    Note.NO_CALLS: "no calls, so nobody is needed for them",
    Note.OCCUPANCY_DECIDES: "the occupancy limit asks for more agents than the service level does",
    Note.ABANDONMENT_DECIDES: "the abandonment limit asks for more agents than the service level does",
    Note.NEVER_DRAINS: "as much traffic as agents or more: the queue grows without end",
    Note.MAY_OVERFLOW: "at rates above the agents the queue grows without end, so mean waits are infinite; "
    "give a patience",
    Note.BAD_CALLS: "calls must be a number, 0 or more",
    Note.BAD_INTERVAL: "the interval must be a length of time above 0",
    Note.BAD_AHT: "the handling time must be above 0 seconds",
    Note.BAD_TARGET: "the target must be a share above 0 and below 1, such as 0.8",
    Note.TARGET_IN_PERCENT: "the target is a share: write 0.8 for 80 %",
    Note.TARGET_UNREACHABLE: "no number of agents answers every call in time; ask for less than 100 %, "
    "such as 0.99",
    Note.BAD_THRESHOLD: "the threshold must be 0 seconds or more",
    Note.BAD_PATIENCE: "the patience must be above 0 seconds; leave it empty if nobody gives up",
    Note.BAD_OCCUPANCY: "the occupancy limit must be a share above 0 and at most 1",
    Note.BAD_ABANDONMENT: "the abandonment limit must be a share above 0 and at most 1",
    Note.BAD_SHRINKAGE: "shrinkage must be a share of at least 0 and below 1",
    Note.BAD_RATE_CV: f"the rate's coefficient of variation must be within 0 and {RATE_CV_MAX:.0f}",
    Note.TOO_MUCH_TRAFFIC: f"more than {TRAFFIC_ERL_MAX:,.0f} erlangs of traffic; "
    "check calls, interval and handling time",
    Note.TOO_MANY_AGENTS: f"no number of agents up to {AGENTS_MAX:,.0f} meets these goals; loosen them, or "
    "check calls, interval and handling time",
    Note.BAD_AGENTS: f"agents must be a number from 0 to {AGENTS_MAX:,.0f}",
}
"""Each note as a sentence for a person."""
