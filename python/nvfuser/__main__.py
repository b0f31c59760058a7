# SPDX-License-Identifier: Apache-2.0
"""``python -m nvfuser``: the same as ``python -m nvfuser.doctor``."""

import sys

from nvfuser.doctor import main

sys.exit(main())
