"""The same call gives the same bytes: in another process, thread count and order of calls; in another
build."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from medqdeg.degradations import degrade, list_degradations

NAMES = list_degradations()

# Made by arithmetic alone, so that it is the same everywhere.
PROGRAM = """
import hashlib, json, sys
import cv2, numpy as np
from medqdeg.degradations import degrade
names, threads = json.loads(sys.argv[1])
cv2.setNumThreads(threads)
np.random.seed(threads)  # global state that must not matter
cv2.setRNGSeed(threads)
row, column, channel = np.mgrid[0:96, 0:80, 0:3]
image = ((row * 7 + column * column // 11 + channel * 40 + (row * column) % 23) % 256).astype(np.uint8)
print(json.dumps({
    f"{name} {level}": hashlib.sha256(degrade(image, name, level, seed=11).tobytes()).hexdigest()
    for name in names for level in (1, 2)
}))
"""


def _image() -> np.ndarray:
    row, column, channel = np.mgrid[0:96, 0:80, 0:3]
    return ((row * 7 + column * column // 11 + channel * 40 + (row * column) % 23) % 256).astype(np.uint8)


def _hash(name: str, level: int) -> str:
    return hashlib.sha256(degrade(_image(), name, level, seed=11).tobytes()).hexdigest()


@pytest.mark.parametrize(("threads", "reverse"), [(1, False), (4, True)])
def test_same_bytes_in_another_process(threads, reverse):
    names = NAMES[::-1] if reverse else NAMES
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([names, threads])],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    there = json.loads(done.stdout)
    assert there == {f"{name} {level}": _hash(name, level) for name in NAMES for level in (1, 2)}


def test_other_calls_in_between_do_not_matter(picture):
    image = picture((64, 64, 3))
    first = {name: degrade(image, name, 1, seed=5) for name in NAMES}
    np.random.default_rng().random(3)
    for name in reversed(NAMES):
        degrade(image, name, 2, seed=6)
        np.testing.assert_array_equal(degrade(image, name, 1, seed=5), first[name])


# Of uint8 images, for the operators whose result does not hang on the last digit of a float32 sum or of a
# transform: tables of whole levels, noise from integer bits, filters settled in float64 (truncation.py).
# Rotation and the overlays interpolate or blend in float32, tomography and k-space transform: there, builds
# may differ by a level, and the operators' tests compare with tolerances.
GOLDEN = {
    "adjust_brightness 1": "8ac54ef0c2c44d9c112b4c24919f2e531b2b65eb8f86bbc77a2cde9f853e860e",
    "adjust_brightness 2": "b7c2becfb6bb8c43dcd12fa7827a208e08467b1756d772cea5561a15b435e7fd",
    "exposure 1": "3e99494b27a7a547d2d52f1124b2fab6dc23d8cb62f28de5e136e7f4f4aa34c3",
    "exposure 2": "faf30df7957b2fbc70ee3d23885ba66651fbc1b9aa22ae0df0727c6d5e0dfb80",
    "reduce_contrast 1": "9febe72ef66ca14dc6b83c390bea0b5db982ca4b85f1954ddb7827ef41cb578d",
    "reduce_contrast 2": "62a12c246f63764e07486192371ee62a738c0d84fd288f2cb78552dbf017eeaf",
    "gaussian_noise 1": "3a6ad8e5ed46439e9eb9f1067bb1cc0dad33cf525316fc706620fbc8d66c65f8",
    "gaussian_noise 2": "1dacdf46e6593e2d24e681c81018c885acbc35c965f35665e4aa62b7bd1a7b8f",
    "low_resolution 1": "f2b71a8e2b77694893d794383ed68e6e986f1b036f566f6dd1550ad3099c3994",
    "low_resolution 2": "e370259f610c9ab8ed7dcbb4bb9493c93743734dd2c6d0f8d2cbcdc838d7293f",
    "motion_blur 1": "6a404b98f81dd668b500106e5f25238d75f9bba264aaccff0266d23ee9ce7542",
    "motion_blur 2": "fe8d15ca6345cdc1cd7cb15e8b3f5ab1bc5ef3c69c3da22cefc9cbc463374b43",
    "gaussian_blur 1": "13ff34b8e46c09a57b28d1fbc9fe2e399e64027b14874efeaf9ee55c10d60ad3",
    "gaussian_blur 2": "89ff2c5bb02fc580f249933b67aab100b81c170ec81166bd5cb7b15f35cfc406",
    "bubble 1": "ca06a7ef857f44f7e2fe634c4a3af2edfbb1a2c1f3c850bedc734e03e55cc70d",
    "bubble 2": "57c7396c1d62d250cd4590b853468db25d64cb7713edc170c8e0b93efa8f3fbf",
}


@pytest.mark.parametrize("key", GOLDEN)
def test_golden(key):
    name, level = key.split()
    assert _hash(name, int(level)) == GOLDEN[key]
