"""bocpd(x, every, lengths, recent, limit, scale): Bayesian online change points, run by run.

    P(r[t] = r + 1) = (1 - 1/every) P(r[t-1] = r) p(x[t] | r) / sum,  P(r[t] = 0) = 1/every
    score[t] = P(r[t] < recent),  alarm[t] = score[t] >= limit
    run[t] = the most probable r,  drop[t] = run[t] <= run[t-1] - recent

r counts the rows since the last change of mean or variance, `every` are the rows expected between
changes. P(r = 0) is 1/every whatever x is, so a limit on it never fires: score adds the runs below
`recent`, and drop watches the most probable run. p is Student-t: x normal, its mean 0 and variance
about scale^2 a priori (kappa = alpha = 1, beta = scale^2).

Runs of `lengths` rows or more count as lengths - 1, with the density of that many rows: no
probability is dropped, and up to row lengths - 1 the answer is the full one.

Null until `recent` rows exist. It begins anew after a null, and after a value so far out that no
run gives it a probability. Unit: none; run in
rows, alarm and drop are conditions. State: 41 KB.
Source: Adams, MacKay (2007), arXiv:0710.3742; Murphy (2007), Conjugate Bayesian analysis of the
Gaussian distribution.
"""

import math
from functools import lru_cache

import numpy as np

from qf.op import MOMENT, define
from qf.resumed import resumed
from qf.run_posterior import PROBABILITY, WORDS, begin, grow, likeliest, prepare, weigh

op = define(
    "bocpd(x, every: 2.0..1e6, lengths: 8..512, recent: 1..100 = 5, limit: 0.01..1.0 = 0.5,"
    " scale: 1e-9..1e9 = 1.0) -> score, run, alarm, drop",
    warmup=lambda every, lengths, recent, limit, scale: recent - 1,
    memory=lambda every, lengths, recent, limit, scale: 0,
    slots=lambda every, lengths, recent, limit, scale: WORDS,
    ints=lambda every, lengths, recent, limit, scale: 4,
    tolerance=MOMENT,
    unit="1, 1, bool, bool",
    example="bocpd.score(ofi_0, 250, 250)",
)
op.polars_missing("a distribution over run lengths, updated row by row; the definition is its twin")


@lru_cache(maxsize=16)
def constants(lengths):
    """Return kappa, alpha and the log of the density's constant, per run length."""
    r = np.arange(lengths)
    kappa, alpha = 1.0 + r, 1.0 + 0.5 * r
    gammas = np.array([math.lgamma(a + 0.5) - math.lgamma(a) for a in alpha])
    return kappa, alpha, gammas - 0.5 * np.log(2.0 * math.pi * (kappa + 1.0) / kappa)


@op.definition
def definition(x, every, lengths, recent, limit, scale):
    kappa, alpha, constant = constants(lengths)
    hazard = 1.0 / every
    start = (np.ones(1), np.zeros(1), np.full(1, scale * scale), 0, -1, -1)

    def step(state, value):
        prior, mean, beta, rows, run, _ = state
        if value != value:
            return start
        n = len(prior)
        off = value - mean
        spread = off * off * kappa[:n] / (2.0 * (kappa[:n] + 1.0))
        density = constant[:n] - 0.5 * np.log(beta) - (alpha[:n] + 0.5) * np.log1p(spread / beta)
        weight = prior * np.exp(density)
        if not weight.sum() > 0.0:
            return start
        grown = (1.0 - hazard) * weight / weight.sum()
        posterior = np.concatenate(([hazard], grown))
        mean = np.concatenate((start[1], mean + off / (kappa[:n] + 1.0)))
        beta = np.concatenate((start[2], beta + spread))
        if n == lengths:  # the longest keeps its length, with the rows of the one before it
            posterior[-2] += posterior[-1]
            posterior, mean, beta = posterior[:-1], mean[:-1], beta[:-1]
        return posterior, mean, beta, rows + 1, int(np.argmax(posterior)), run

    key = ("bocpd", every, scale, lengths)
    posterior, _, _, rows, run, before = resumed(key, x, start, step)
    if rows < recent:
        return (math.nan,) * 4
    score = float(posterior[:recent].sum())
    fell = before >= 0 and run <= before - recent
    return score, float(run), float(score >= limit), float(fell)


@op.kernel
def kernel(x, lo, hi, score, run, alarm, drop, params, state, ints):
    hazard, lengths, recent = 1.0 / params[0], int(params[1]), int(params[2])
    limit, beta = params[3], params[4] * params[4]
    if ints[0] == 0:
        ints[0] = 1
        prepare(state, lengths)
    log_beta = math.log(beta)
    rows, runs, before = ints[1], ints[2], ints[3]
    for t in range(lo, hi):
        score[t] = run[t] = alarm[t] = drop[t] = math.nan
        value = x[t]
        if value != value:
            rows = 0
            continue
        if rows == 0:
            begin(state, 1.0, beta, log_beta)
            runs, before = 1, -1
        total = weigh(state, value, runs)
        if not total > 0.0:
            rows = 0
            continue
        runs = grow(state, value, runs, lengths, (1.0 - hazard) / total)
        begin(state, hazard, beta, log_beta)
        rows += 1
        place = likeliest(state, runs)
        if rows >= recent:
            share = 0.0
            for r in range(min(recent, runs)):
                share += state[PROBABILITY + r]
            score[t] = share
            run[t] = place
            alarm[t] = 1.0 if share >= limit else 0.0
            drop[t] = 1.0 if before >= 0 and place <= before - recent else 0.0
        before = place
    ints[1], ints[2], ints[3] = rows, runs, before
