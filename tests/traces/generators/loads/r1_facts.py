"""What was measured on the DeepSeek-R1 recordings of sgl-project/sglang issue 6017.

Twelve files of counts, 58 MoE layers of 256 experts; all numbers are means over layers unless they
are said to be by layer. The recordings are not in this repository.
"""

#: Standard deviation over experts of log(256 share), and hottest expert over mean where known.
DEVIATION = {
    "decode_in1000out1000": (0.595, 5.56),
    "decode_in500out1500": (0.607, 5.76),
    "decode_in1800out100": (0.662, 5.95),
    "decode_in2000out100": (0.671, 6.07),
    "prefill_in512": (0.587, 6.11),
    "prefill_in500out1500": (0.563, 5.96),
    "prefill_in1024": (0.659, 6.53),
    "prefill_in1000out1000": (0.637, 6.41),
    "prefill_in1800out100": (0.708, 7.08),
    "prefill_in2000out100": (0.723, 7.08),
    "prefill_in2048": (0.744, 7.08),
    "prefill_in4096": (0.821, 8.12),
}

PERCENTILES = (0, 1, 5, 25, 50, 75, 95, 99, 100)
#: Load of an expert over the mean of its layer at these percentiles.
LOAD_OVER_MEAN = {
    "decode_in1000out1000": (0.18, 0.25, 0.35, 0.55, 0.78, 1.13, 2.47, 4.27, 5.56),
    "decode_in500out1500": (0.18, 0.25, 0.35, 0.54, 0.76, 1.13, 2.54, 4.47, 5.76),
    "prefill_in2048": (0.13, 0.19, 0.27, 0.47, 0.72, 1.17, 2.65, 4.69, 7.08),
    "prefill_in4096": (0.09, 0.13, 0.21, 0.41, 0.67, 1.16, 2.89, 5.40, 8.12),
}

#: Total variation, correlation of log loads, deviation of the log ratio, shared of 16 hottest.
DISTANCE = {
    ("decode_in1000out1000", "decode_in500out1500"): (0.029, 0.992, 0.074, 0.92),
    ("decode_in1000out1000", "decode_in2000out100"): (0.116, 0.894, 0.29, 0.66),
    ("prefill_in1024", "prefill_in2048"): (0.060, 0.987, 0.144, 0.87),
    ("prefill_in1024", "prefill_in4096"): (0.109, 0.962, 0.264, 0.77),
    ("prefill_in512", "prefill_in4096"): (0.166, 0.892, 0.403, 0.63),
    ("decode_in1000out1000", "prefill_in1024"): (0.189, 0.720, 0.457, 0.47),
    ("decode_in500out1500", "prefill_in512"): (0.214, 0.641, 0.493, 0.37),
}
#: The same of pairs of nearly the same length: ranges.
NEAR_PAIRS = (
    ("prefill_in512", "prefill_in500out1500"),
    ("prefill_in1024", "prefill_in1000out1000"),
    ("prefill_in2048", "prefill_in2000out100"),
    ("decode_in1800out100", "decode_in2000out100"),
)
NEAR_DISTANCE = ((0.008, 0.015), (0.999, 0.999), (0.02, 0.05), (0.96, 0.99))

#: Part of the variance of log loads, centred over the recordings, of each singular direction.
VARIANCE_SHARE = (0.577, 0.322, 0.086)
#: Coordinates on the first direction, from and to; and on the second.
FIRST = {
    "decode_in1000out1000": (-41, -41),
    "decode_in500out1500": (-41, -41),
    "decode_in1800out100": (-17, -17),
    "decode_in2000out100": (-17, -17),
    **{name: (8, 20) for name in DEVIATION if name.startswith("prefill")},
}
SECOND = {"prefill_in512": 29, "prefill_in1024": 10, "prefill_in2048": -10, "prefill_in4096": -30}

RANKS_AND_SLOTS = ((32, 9), (64, 5), (144, 2))
#: Planned for one condition, served another: balancedness with even and best split, EP by EP.
PLAN_AND_SERVE = {
    ("decode_in500out1500", "decode_in2000out100"): ((0.77, 0.85), (0.67, 0.76), (0.49, 0.49)),
    ("prefill_in512", "prefill_in4096"): ((0.74, 0.84), (0.63, 0.76), (0.46, 0.46)),
    ("prefill_in1000out1000", "decode_in1000out1000"): ((0.72, 0.79), (0.61, 0.69), (0.42, 0.42)),
}
#: The same recording, even split.
PLANNED_ON_ITSELF = (0.9998, 0.999, 0.87)
#: Nearly the same length, EP32: ranges of even and of best split.
NEAR_SERVED = ((0.96, 0.99), (0.98, 0.998))
