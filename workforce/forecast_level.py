"""The level of a day: its total, by calendar regression with errors that hang together in time. Pure.

On the logarithm of the total: weekday, labels, neighbours of closed days, the turn of the month, a level that
drifts over months, the mood of some days (AR), the day's own noise, and what counting adds to it (Poisson).
How much each weighs, and how long it lasts, is not known beforehand: several settings run side by side and
are averaged by how likely each made every past day given the days before it, so that an effect which does not
help has little say. Errors weeks ahead would be fairer to look at, but they are too few: whole months of
origins meet the same weeks. Likelihoods of the day ahead choose better for four weeks ahead, too.

Source: Hoeting, Madigan, Raftery & Volinsky, "Bayesian model averaging", Statistical Science 14 (1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workforce.forecast_days import MONTH_REACH_DAYS, DayRelations
from workforce.history import weekday_of
from workforce.rolling_regression import RollingFit, fit, robust_noise
from workforce.series import Floats, Ints

HORIZON_MAX_DAYS = 28
_ALMOST_FREE = 4.0
_LABEL_VARIANCE = 0.25
"""An effect of a label is within ± 50 % (log) two times of three before it has been seen."""
_ZERO_ADDED = 0.5
_LOG_MAX = 25.0
_SIGMA_MIN, _SIGMA_START = 0.02, 0.1
_YEAR_AFTER_DAYS = 400
_EVIDENCE_FROM_DAYS, _EVIDENCE_DAYS_MIN = 8, 10
"""What comes earlier tells weekdays from each other, under any setting."""
_EVIDENCE_COUNTED = 0.5
"""Days share more than any setting knows: so many are worth half as many that do not (Grünwald 2012)."""
_SCREEN_DAYS, _SCREENED_MAX = 250, 6
"""A longer history picks the likeliest few settings by its last days, and reckons with these alone."""
_LEVEL_DAYS = 9
_DOUBT_MIN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSetting:
    """Variances as multiples of the variance that is left when weekdays are known, reaches in days.

    Attributes:
        drift: Of a level that comes back to its mean within some ``drift_days``.
        mood: The same within a few days.
        month: Of the place in the month, shared by days up to some ``month_days`` apart.
        closure: Of standing beside a closed day.
        prior: How likely the setting is held beforehand, beside 1. A level that stays where it went takes
            weeks ahead further from what they were, and a day ahead hardly tells it from one that comes back:
            it has to earn its say, and a step soon earns it.
    """

    noise: float = 0.5
    drift: float = 1.0
    drift_days: float = 20.0
    mood: float = 0.7
    mood_days: float = 3.0
    month: float = 1.0
    month_days: float = MONTH_REACH_DAYS
    closure: float = 5.0
    year: float = 0.0
    labels: bool = True
    prior: float = 1.0


SETTINGS: tuple[LevelSetting, ...] = tuple(
    LevelSetting(
        drift=drift, drift_days=days, month=month, month_days=month_days, closure=closure, prior=prior
    )
    for drift, days, prior in ((0.3, 20.0, 1.0), (1.0, 20.0, 1.0), (3.0, 20.0, 1.0), (10.0, 250.0, 0.05))
    for month, month_days in ((0.0, 3.0), (10.0, 2.0), (1.5, 3.0), (1.5, 4.0))
    for closure in (0.0, 5.0)
)
_ODDNESS_SETTING = LevelSetting(month=15.0)
"""With a free hand for the turn of the month, so that paydays are not taken for odd days and forgotten."""


@dataclass(frozen=True, slots=True)
class Level:
    """Forecasts of daily totals.

    Attributes:
        past: ``[j, o]``: forecast of day j from the first o + 1 days; meant for j > o. Shape (n, n).
        ahead: Of the days asked for, shape (k,).
        oddness: How much less than a plain day each day teaches, ≥ 1; shape (n,).
        shared: What days share of a level besides weekdays and labels, in multiples of the variance that is
            left when these are known, as the settings have it on average; shape (n + k, n + k).
        past_doubt: ``[j, o]``: variance of the logarithm of day j's expected total, given the first
            o + 1 days; meant for j > o. Shape (n, n).
        ahead_doubt: The same of the days asked for, shape (k,).
        weights: Share of each setting, and what it was.
    """

    past: Floats
    ahead: Floats
    oddness: Floats
    shared: Floats
    past_doubt: Floats
    ahead_doubt: Floats
    weights: Sequence[tuple[LevelSetting, float]]


def forecast_level(
    totals: Floats,
    repaired_share: Floats,
    relations: DayRelations,
    settings: Sequence[LevelSetting] = SETTINGS,
) -> Level:
    """Forecast the totals of the days asked for, and again from every past origin.

    Args:
        totals: Of the days learnt from, shape (n,).
        repaired_share: Part of each that was filled in, in [0, 1).
        relations: Of these n days and the k asked for.
    """
    n = len(totals)
    log_total = np.log(totals + _ZERO_ADDED)
    mean = float(np.median(log_total))
    sigma2 = _spread(log_total, relations.days[:n]) ** 2
    counting = 1.0 / (totals + _ZERO_ADDED)
    own = max(sigma2 - float(np.median(counting)), 0.1 * sigma2)
    values = (log_total - mean)[:, None]
    trust = (1.0 - repaired_share) ** 2
    covariances = _Covariances(relations, sigma2, [*settings, _ODDNESS_SETTING])
    plain = (_ODDNESS_SETTING.noise * own + counting) / trust
    among = covariances.of(_ODDNESS_SETTING, (slice(n), slice(n)))
    oddness = robust_noise(among, plain, values[:, 0]) / plain

    def fitted(setting: LevelSetting, first: int = 0) -> RollingFit:
        span = slice(first, n)
        noise = oddness * (setting.noise * own + counting) / trust
        return fit(covariances.of(setting, (span, span)), noise[span], values[span])

    if n > _SCREEN_DAYS and len(settings) > _SCREENED_MAX:
        found = [fitted(setting, n - _SCREEN_DAYS).evidence(_EVIDENCE_FROM_DAYS) for setting in settings]
        settings = [settings[at] for at in sorted(np.argsort(found, kind="stable")[-_SCREENED_MAX:])]
    if relations.days[n - 1] - relations.days[0] >= _YEAR_AFTER_DAYS:
        settings = [*settings, *(replace(setting, year=3.0) for setting in settings)]
    fits = [fitted(setting) for setting in settings]
    shares = _shares(settings, [one.evidence(_EVIDENCE_FROM_DAYS) for one in fits], n)
    past, ahead = np.full((n, n), mean), np.full(len(relations.days) - n, mean)
    shared = np.zeros(relations.apart.shape)
    past_doubt, ahead_doubt = np.zeros((n, n)), np.zeros(len(relations.days) - n)
    for share, one, setting in zip(shares, fits, settings, strict=True):
        past += share * one.all_origins()
        coming = covariances.of(setting, (slice(n, None), slice(n)))
        unknown = covariances.of(setting, (slice(n, None), slice(n, None))).diagonal()
        ahead += share * one.ahead(coming)[:, 0]
        # The noise given to odd days and filled-in ones is theirs alone: a day foretold has the plain one.
        given = (oddness * (setting.noise * own + counting) / trust - setting.noise * own)[:, None]
        past_doubt += share * np.maximum(one.doubt_all_origins() - given, _DOUBT_MIN * own)
        ahead_doubt += share * one.doubt_ahead(coming, unknown + setting.noise * own)
        shared += share * covariances.shared(setting)
    return Level(
        past=_total(past),
        ahead=_total(ahead),
        oddness=oddness,
        shared=shared,
        past_doubt=past_doubt,
        ahead_doubt=np.maximum(ahead_doubt, _DOUBT_MIN * own),
        weights=tuple(zip(settings, shares.tolist(), strict=True)),
    )


def _total(log_total: Floats) -> Floats:
    """Return totals; what was added to the count comes off where the logarithm does not make up for it."""
    raised = np.exp(np.minimum(log_total, _LOG_MAX))
    return np.asarray(np.maximum(raised - _ZERO_ADDED * np.exp(_ZERO_ADDED - raised), 0.0))


def _spread(log_total: Floats, days: Ints) -> float:
    """Return the robust standard deviation about the median of the same weekdays around."""
    away = np.zeros(len(days))
    weekdays = weekday_of(days)
    for weekday in np.unique(weekdays):
        rows = np.flatnonzero(weekdays == weekday)
        begin = np.clip(np.arange(len(rows)) - _LEVEL_DAYS // 2, 0, max(0, len(rows) - _LEVEL_DAYS))
        away[rows] = [
            log_total[row] - np.median(log_total[rows[a : a + _LEVEL_DAYS]])
            for row, a in zip(rows, begin, strict=True)
        ]
    found = 1.4826 * float(np.median(np.abs(away)))
    return max(found, _SIGMA_MIN) if len(days) >= 2 * 7 else max(found, _SIGMA_START)


class _Covariances:
    """Covariances of days under each of several settings; what they have in common is reckoned once."""

    def __init__(self, relations: DayRelations, sigma2: float, settings: Sequence[LevelSetting]) -> None:
        self._relations, self._sigma2 = relations, sigma2
        reaches = {days for setting in settings for days in (setting.drift_days, setting.mood_days)}
        self._fading = {days: relations.fading(days) for days in sorted(reaches)}
        self._in_month = {
            days: relations.in_month(days) for days in sorted({setting.month_days for setting in settings})
        }
        self._free = _ALMOST_FREE * (1.0 + relations.weekday)
        self._labelled = _LABEL_VARIANCE * (relations.named + relations.kinds)

    def shared(self, setting: LevelSetting, at: tuple[slice, slice] = (slice(None), slice(None))) -> Floats:
        """Return what days share besides weekdays and labels, in multiples of the variance left."""
        shared = (
            setting.drift * self._fading[setting.drift_days][at]
            + setting.mood * self._fading[setting.mood_days][at]
            + setting.month * self._in_month[setting.month_days][at]
            + setting.closure * self._relations.closure[at]
        )
        return np.asarray(shared + setting.year * self._relations.year[at] if setting.year else shared)

    def of(self, setting: LevelSetting, at: tuple[slice, slice]) -> Floats:
        """Return the covariances between the days of *at*."""
        known = self._free[at] + self._labelled[at] if setting.labels else self._free[at]
        return np.asarray(known + self._sigma2 * self.shared(setting, at))


def _shares(settings: Sequence[LevelSetting], evidence: Sequence[float], days_count: int) -> Floats:
    """Return each setting's share by its prior and its evidence, shape (settings,)."""
    share = np.array([setting.prior for setting in settings])
    if days_count >= _EVIDENCE_FROM_DAYS + _EVIDENCE_DAYS_MIN:
        share = share * np.exp(_EVIDENCE_COUNTED * (np.array(evidence) - max(evidence)))
    return np.asarray(share / share.sum())
