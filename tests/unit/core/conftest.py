"""The core's tests must stay under two seconds: nothing here makes garbage worth stopping for."""

import gc

gc.disable()
