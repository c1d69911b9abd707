"""The heart of the map stage: it is the library's `degrade`, a pure function, and says from what it was made."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from medqdeg.degradations import degrade, load_severities, reproduce
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.make import degrading
from medqdeg.utils.building.make.degrading import degrade_item
from medqdeg.utils.images import encode_image

from .phantom_source import png

TABLE = load_severities()


def test_images_are_those_that_the_library_gives_for_the_files_hash() -> None:
    data = png(0, 0, 96)
    made = degrade_item([data], ["low_dose", "motion_blur"], seed=5, modality="CT", table=TABLE)
    clean = Image.open(io.BytesIO(data))
    seed = f"5:{hashlib.sha256(data).hexdigest()}"
    for pair in made.pairs:
        for level, (image,) in pair.levels.items():
            expected = degrade(clean, pair.name, level, seed=seed, modality="CT")
            assert np.array_equal(np.asarray(expected), np.asarray(Image.open(io.BytesIO(image.png))))
            assert np.array_equal(np.asarray(reproduce(clean, image.record)), np.asarray(expected))
            assert image.described["output_sha256"] == hashlib.sha256(image.png).hexdigest()


def test_same_call_same_bytes_and_names_do_not_disturb_each_other() -> None:
    data = [png(1, 0, 64), png(1, 1, 64)]
    both = degrade_item(data, ["ghosting", "gaussian_noise"], seed="s", modality="MRI", table=TABLE)
    one = degrade_item(data, ["gaussian_noise"], seed="s", modality="MRI", table=TABLE)
    assert [i.png for i in both.pairs[1].levels["L2"]] == [i.png for i in one.pairs[0].levels["L2"]]
    assert len(both.clean) == len(both.pairs[0].levels["L1"]) == 2


def test_clean_files_carry_no_metadata() -> None:
    image = Image.open(io.BytesIO(png(3, 0, 48)))
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe, born 1950"
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", exif=exif)
    made = degrade_item([buffer.getvalue()], [], seed=0, modality="Ultrasound", table=TABLE)
    assert b"Jane Doe" in buffer.getvalue()
    assert b"Jane Doe" not in made.clean[0].png


def test_one_image_that_stays_as_it_is_fails_the_pair_and_no_other() -> None:
    flat = encode_image(Image.new("L", (32, 32), 90))
    made = degrade_item(
        [png(0, 0, 64), flat], ["gaussian_blur", "adjust_brightness"], seed=0, modality="CT", table=TABLE
    )
    failed, fine = made.pairs
    assert failed.levels == {}
    assert failed.failure is not None
    assert failed.failure.startswith("L1, image 2: gaussian_blur leaves this 32 x 32 image")
    assert set(fine.levels) == {"L1", "L2"}


def test_an_image_that_cannot_be_decoded_is_named() -> None:
    with pytest.raises(InputError, match=r"ward:7, image 2: the file is empty"):
        degrade_item([png(0, 0, 48), b""], ["exposure"], seed=0, modality="CT", table=TABLE, where="ward:7")


def test_an_operator_that_breaks_fails_its_pair_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    real = degrading.degrade_with_record

    def breaking(image: Image.Image, name: str, *arguments, **options):
        if name == "exposure":
            raise ZeroDivisionError("no light")
        return real(image, name, *arguments, **options)

    monkeypatch.setattr(degrading, "degrade_with_record", breaking)
    failed, fine = degrade_item(
        [png(0, 0, 64)], ["exposure", "gaussian_blur"], seed=0, modality="CT", table=TABLE
    ).pairs
    assert failed.failure == "L1, image 1: no light"
    assert set(fine.levels) == {"L1", "L2"}
