# SPDX-License-Identifier: Apache-2.0
"""Which schedules a fuzz run reached: family x vector width x fact, counted over the emulator's kernels."""

from __future__ import annotations

import re
from collections import Counter

FACTS = ("exact", "divisor", "aligned", "none", "wide", "in place")
KERNEL = re.compile(r"^  \w+: (?P<params>[^;]+); facts: (?P<facts>.*); grid", re.MULTILINE)


class Coverage:
    def __init__(self) -> None:
        self.kernels: Counter = Counter()  # (family, vector)
        self.facts: Counter = Counter()  # (family, vector, fact)

    def add(self, plan_text: str, in_place: bool) -> None:
        """Counts the kernels of a plan's description."""
        for kernel in KERNEL.finditer(plan_text):
            params, facts = kernel["params"], kernel["facts"]
            family = params.split()[0]
            vector = re.search(r"\bvector=(\d+)", params)
            key = (family, int(vector[1]) if vector else 1)
            self.kernels[key] += 1
            held = {
                "exact": "exact" in facts,
                "divisor": "%" in facts,
                "aligned": "@" in facts,
                "none": facts == "narrow",
                "wide": "wide" in facts,
                "in place": in_place,
            }
            self.facts.update((*key, fact) for fact, holds in held.items() if holds)

    def table(self) -> str:
        lines = [f"{'family':<8}{'vector':>7}{'kernels':>9}" + "".join(f"{fact:>10}" for fact in FACTS)]
        for key, count in sorted(self.kernels.items()):
            row = "".join(f"{self.facts[(*key, fact)]:>10}" for fact in FACTS)
            lines.append(f"{key[0]:<8}{key[1]:>7}{count:>9}{row}")
        return "\n".join(lines)
