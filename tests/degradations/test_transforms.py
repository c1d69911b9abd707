"""The callables for training: seeds that depend on the item alone; tensors, `Compose`, `map`."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from medqdeg.degradations import UnchangedImageError, choosing, degrade, list_degradations, reproduce
from medqdeg.degradations.transforms import Degrade, DegradeColumn


def picture(index: int = 0, shape: tuple[int, ...] = (40, 56, 3)) -> np.ndarray:
    """A smooth image with structure; another index gives another image."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    grey = 128 + 60 * np.sin(x / 5 + index) + 50 * np.cos(y / 7 - index)
    return np.broadcast_to(grey[..., None] if len(shape) == 3 else grey, shape).astype(np.uint8)


def pil(index: int = 0) -> Image.Image:
    return Image.fromarray(picture(index))


def same(first: object, second: object) -> bool:
    return np.array_equal(np.asarray(first), np.asarray(second))


def test_importing_it_imports_neither_torch_nor_datasets():
    code = "import sys, medqdeg.degradations.transforms;print([m for m in ('torch', 'datasets') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", list_degradations())
def test_each_degradation_gives_the_librarys_result(name):
    image = pil()
    degraded, record = Degrade(name, 2, seed=3).apply_with_record(image)
    assert degraded.size == image.size
    assert degraded.mode == image.mode
    assert record["name"] == name
    assert same(degraded, degrade(image, name, 2, seed=record["seed"]))
    assert same(degraded, reproduce(image, json.loads(json.dumps(record))))


def test_the_draw_follows_content_not_order():
    transform = Degrade("gaussian_noise", 2, seed=0)
    forwards = [transform(pil(index)) for index in range(4)]
    backwards = [transform(pil(index)) for index in reversed(range(4))][::-1]
    assert all(same(first, second) for first, second in zip(forwards, backwards, strict=True))
    noise = [np.asarray(out, int) - picture(index) for index, out in enumerate(forwards)]
    assert not np.array_equal(noise[0], noise[1])


def test_a_key_an_epoch_or_a_seed_gives_another_draw():
    transform = Degrade("gaussian_noise", 2, seed=0)
    plain = transform(pil())
    later = Degrade("gaussian_noise", 2, seed=0)
    later.set_epoch(1)
    others = [
        transform.apply(pil(), key=0),
        transform.apply(pil(), key=1),
        transform.apply(pil(), key="item"),
        Degrade("gaussian_noise", 2, seed=1)(pil()),
        later(pil()),
    ]
    everything = [np.asarray(image).tobytes() for image in (plain, *others)]
    assert len(set(everything)) == len(everything)
    assert same(transform.apply(pil(), key=1), transform.apply(pil(), key=1))


def test_another_process_gives_the_same_bytes():
    code = (
        "import sys, pickle; transform, image = pickle.load(sys.stdin.buffer);"
        "sys.stdout.buffer.write(transform(image).tobytes())"
    )
    transform = Degrade("blood_cell", 2, seed="x", epoch=4)
    given = pickle.dumps((transform, picture()))
    result = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=True)
    assert result.stdout == transform(picture()).tobytes()


def test_several_names_and_severities_are_drawn_per_image():
    transform = Degrade(["gaussian_noise", "gaussian_blur", "reduce_contrast"], (1, 2), seed=0)
    records = [transform.apply_with_record(pil(index))[1] for index in range(60)]
    drawn = {(record["name"], record["severity"]) for record in records}
    assert len(drawn) == 6
    assert [transform.apply_with_record(pil(index))[1] for index in range(60)] == records


def test_further_inputs_pass_through():
    image, label, box = Degrade("gaussian_blur", 1, seed=0)(pil(), 7, [1, 2, 3, 4])
    assert same(image, degrade(pil(), "gaussian_blur", 1, seed=0))
    assert (label, box) == (7, [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("no_such", 1), "unknown degradation 'no_such'"),
        (("gaussian_noise", 5), "up to severity 4"),
        (("gaussian_noise", -1), "severity"),
        (([], 1), "at least one"),
        (("gaussian_noise", []), "at least one"),
    ],
)
def test_bad_arguments_are_refused_when_it_is_made(arguments, error):
    with pytest.raises(ValueError, match=error):
        Degrade(*arguments, seed=0)


def test_a_bad_seed_or_modality_is_refused_when_it_is_made():
    with pytest.raises(TypeError, match="seed"):
        Degrade("gaussian_noise", 1, seed=None)
    with pytest.raises(ValueError, match="modality"):
        Degrade("gaussian_noise", 1, seed=0, modality="tarot")


def test_a_string_is_no_image():
    with pytest.raises(TypeError, match="PIL image or a NumPy array"):
        Degrade("gaussian_noise", 1, seed=0)("scan.png")


def test_its_repr_says_what_it_does():
    assert repr(Degrade("gaussian_noise", 2, seed=7)) == "Degrade('gaussian_noise', 2, seed=7)"


# --- torch and torchvision ---


def chw(array: np.ndarray) -> object:
    torch = pytest.importorskip("torch")
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tensors_keep_shape_and_dtype_and_get_the_librarys_values(dtype, channels):
    torch = pytest.importorskip("torch")
    array = np.repeat(picture(shape=(40, 56, 1)), channels, axis=2)
    tensor = chw(array)
    if dtype == "uint16":
        tensor = torch.from_numpy(tensor.numpy().astype(np.uint16) * 257)
    elif dtype != "uint8":
        tensor = (tensor / 255).to(getattr(torch, dtype))
    before = tensor.clone()
    degraded, record = Degrade("motion_blur", 1, seed=0).apply_with_record(tensor)
    assert degraded.dtype == tensor.dtype
    assert degraded.shape == tensor.shape
    assert torch.equal(tensor, before)
    narrow = dtype in ("float16", "bfloat16")
    plain = (tensor.float() if narrow else tensor).numpy().transpose(1, 2, 0)
    expected = torch.from_numpy(reproduce(plain, record).transpose(2, 0, 1).copy()).to(tensor.dtype)
    assert torch.equal(degraded, expected)
    if dtype == "uint8":
        by_array = degrade(array, "motion_blur", 1, seed=0)
        assert torch.equal(degraded, chw(by_array))


def test_a_grey_tensor_without_channels_and_a_batch():
    torch = pytest.importorskip("torch")
    transform = Degrade("gaussian_noise", 2, seed=0)
    grey = torch.from_numpy(picture(shape=(40, 56)).copy())
    assert torch.equal(transform(grey), torch.from_numpy(transform(grey.numpy())))
    batch = torch.stack([chw(picture(index)) for index in range(3)])
    together = transform(batch)
    assert together.shape == batch.shape
    for one, alone in zip(together, batch, strict=True):
        assert torch.equal(one, transform(alone))
    keyed = transform.apply(torch.stack([batch[0], batch[0]]), key="x")
    assert not torch.equal(keyed[0], keyed[1])


def test_a_tensor_of_severity_0_is_a_copy():
    torch = pytest.importorskip("torch")
    tensor = chw(picture())
    result = Degrade("gaussian_noise", 0, seed=0)(tensor)
    assert torch.equal(result, tensor)
    result.zero_()
    assert tensor.any()


def test_tensors_that_are_no_images_are_refused():
    torch = pytest.importorskip("torch")
    transform = Degrade("gaussian_noise", 1, seed=0)
    with pytest.raises(ValueError, match=r"shape \(5, 8, 8\) is no image"):
        transform(torch.zeros(5, 8, 8, dtype=torch.uint8))
    with pytest.raises(ValueError, match="values in"):
        transform(torch.full((3, 8, 8), 200.0))
    with pytest.raises(TypeError, match="int64"):
        transform(torch.zeros(3, 8, 8, dtype=torch.int64))


def test_it_fits_a_torchvision_pipeline():
    torch = pytest.importorskip("torch")
    v2 = pytest.importorskip("torchvision.transforms.v2")
    from torchvision import tv_tensors

    transform = Degrade("gaussian_noise", 1, seed=0)
    pipeline = v2.Compose([v2.Resize((32, 32)), transform, v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    out, label = pipeline(pil(), 5)
    assert label == 5
    assert out.shape == (3, 32, 32)
    expected = v2.functional.to_dtype(
        v2.functional.to_image(transform(v2.Resize((32, 32))(pil()))), torch.float32, scale=True
    )
    assert torch.equal(out, expected)
    image = tv_tensors.Image(chw(picture()))
    kept = transform(image)
    assert isinstance(kept, tv_tensors.Image)
    assert torch.equal(kept.as_subclass(torch.Tensor), transform(image.as_subclass(torch.Tensor)))
    assert "Degrade('gaussian_noise', 1, seed=0)" in repr(pipeline)


class Pictures:
    """A map-style data set; at the top of the module so that spawned workers can unpickle it."""

    def __init__(self, transform: Degrade) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> object:
        return self.transform(chw(picture(index)))


def test_data_loader_workers_give_what_the_main_process_gives():
    torch = pytest.importorskip("torch")
    data = Pictures(Degrade(["gaussian_noise", "dark_spots"], (1, 2), seed=0))
    loaded = [
        torch.cat(list(torch.utils.data.DataLoader(data, batch_size=2, num_workers=workers))) for workers in (0, 1, 2)
    ]
    assert torch.equal(loaded[0], loaded[1])
    assert torch.equal(loaded[0], loaded[2])
    assert len({bytes(image.numpy().tobytes()) for image in loaded[0]}) == 6
    data.transform.set_epoch(1)
    again = torch.cat(list(torch.utils.data.DataLoader(data, batch_size=2, num_workers=2)))
    assert not torch.equal(loaded[0], again)


# --- datasets ---


def data_set(count: int = 5) -> object:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "id": datasets.Value("int64")})
    return datasets.Dataset.from_dict({"image": [pil(i) for i in range(count)], "id": list(range(count))}, features)


def test_map_by_item_and_by_batch_give_the_same():
    data = data_set()
    transform = DegradeColumn("gaussian_noise", 2, seed=0, record_column="record")
    single = data.map(transform)
    batched = data.map(transform, batched=True, batch_size=2)
    for index in range(len(data)):
        expected, record = Degrade("gaussian_noise", 2, seed=0).apply_with_record(pil(index))
        assert same(single[index]["image"], expected)
        assert same(batched[index]["image"], expected)
        assert single[index]["id"] == index
        assert json.loads(single[index]["record"]) == json.loads(batched[index]["record"]) == record


def test_map_in_several_processes_gives_the_same():
    data = data_set()
    transform = DegradeColumn("gaussian_noise", 2, seed=0)
    alone, two = data.map(transform), data.map(transform, num_proc=2)
    assert all(same(a["image"], b["image"]) for a, b in zip(alone, two, strict=True))


def test_map_with_indices_draws_by_index():
    datasets = pytest.importorskip("datasets")
    twins = datasets.Dataset.from_dict({"image": [pil(), pil()]}, datasets.Features({"image": datasets.Image()}))
    transform = DegradeColumn("gaussian_noise", 2, seed=0)
    by_content = twins.map(transform)
    assert same(by_content[0]["image"], by_content[1]["image"])
    single = twins.map(transform, with_indices=True)
    batched = twins.map(transform, with_indices=True, batched=True)
    assert not same(single[0]["image"], single[1]["image"])
    for index in range(2):
        assert same(single[index]["image"], Degrade("gaussian_noise", 2, seed=0).apply(pil(), key=index))
        assert same(single[index]["image"], batched[index]["image"])


def test_columns_with_lists_of_images_and_missing_ones():
    transform = DegradeColumn("gaussian_noise", 2, seed=0, column="images", record_column="record")
    out = transform({"images": [pil(0), None, pil(1)], "question": "?"}, 4)
    assert out["question"] == "?"
    assert out["images"][1] is None
    assert same(out["images"][2], Degrade("gaussian_noise", 2, seed=0).apply(pil(1), key="4.2"))
    assert out["record"][1] is None
    assert json.loads(out["record"][0])["name"] == "gaussian_noise"
    batch = transform({"images": [[pil(0), None, pil(1)], [pil(2)]]}, [4, 5])
    assert same(batch["images"][0][2], out["images"][2])
    assert len(batch["images"][1]) == 1


def test_datasets_finds_its_cached_result_again():
    fingerprint = pytest.importorskip("datasets.fingerprint")

    def hashed(**changed: object) -> str:
        return fingerprint.Hasher.hash(DegradeColumn("gaussian_noise", 2, **{"seed": 0, **changed}))

    assert hashed() == hashed()
    assert len({hashed(), hashed(seed=1), hashed(epoch=1), hashed(keep_markings=True)}) == 4


def test_wrong_columns_say_so():
    transform = DegradeColumn("gaussian_noise", 2, seed=0)
    with pytest.raises(KeyError, match="no column 'image'; there are 'picture'"):
        transform({"picture": pil()})
    with pytest.raises(TypeError, match="undecoded images"):
        transform({"image": {"bytes": b"", "path": None}})
    with pytest.raises(TypeError, match="for an image use Degrade"):
        transform(pil())


def test_severities_between_the_levels(picture):
    image = picture((48, 40))
    one = Degrade("gaussian_blur", 1.5, seed=0)
    _, record = one.apply_with_record(image)
    assert record["severity"] == "S1.50"
    several = Degrade("bubble", (0.5, 1, 2), seed=0, series=True)
    labels = {several.apply_with_record(image, key)[1]["severity"] for key in range(40)}
    assert labels == {"S0.50", "S1.00", "S2.00"}
    assert Degrade("bubble", (0, "L2", 1.0), seed=0).severities == (0, 2, 1)


# --- which, how often, how severe ---


def test_a_share_of_the_images_is_degraded_by_their_seeds():
    transform = Degrade("gaussian_noise", 2, seed=0, p=0.3)
    changed = [not same(transform(pil(index)), pil(index)) for index in range(100)]
    assert changed == [not same(transform(pil(index)), pil(index)) for index in range(100)]
    assert 15 <= sum(changed) <= 45
    everyone = Degrade("gaussian_noise", 2, seed=0)
    assert all(same(transform(pil(i)), everyone(pil(i))) for i in range(100) if changed[i])
    assert same(Degrade("gaussian_noise", 2, seed=0, p=0)(pil()), pil())


def test_weights_say_how_often_each_is_drawn():
    names = ["gaussian_noise", "gaussian_blur", "exposure"]
    transform = Degrade(names, 1, seed=0, weights=(1, 0, 3))
    drawn = [transform.choose(index).name for index in range(400)]
    assert drawn.count("gaussian_blur") == 0
    assert 60 <= drawn.count("gaussian_noise") <= 140


def test_a_severity_range_is_drawn_from_evenly():
    transform = Degrade("gaussian_noise", "0.5 to 2", seed=0)
    labels = [transform.choose(index).severity for index in range(400)]
    values = [float(label.removeprefix("S")) for label in labels]
    assert all(label.startswith("S") for label in labels)
    assert min(values) >= 0.5
    assert max(values) <= 2
    assert np.histogram(values, 3, (0.5, 2))[0].min() > 100
    image, record = transform.apply_with_record(pil())
    assert same(image, degrade(pil(), "gaussian_noise", record["severity"], seed=record["seed"]))


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"p": 1.5}, "p must be a share"),
        ({"weights": (1, 2)}, "weights must be 1 numbers"),
        ({"weights": (-1,)}, "not negative"),
        ({"unchanged": "ignore"}, "unchanged must be"),
        ({"value_range": (3, 3)}, "value_range"),
        ({"severity": "2 to 1"}, "smaller to a larger"),
        ({"severity": "1 to 9"}, "up to severity 4"),
    ],
)
def test_wrong_settings_are_refused_when_it_is_made(settings, error):
    with pytest.raises(ValueError, match=error):
        Degrade("gaussian_noise", **{"severity": 1, "seed": 0, **settings})


def test_an_unchanged_image_warns_once_and_stops_no_epoch(monkeypatch):
    monkeypatch.setattr(choosing, "_warned", set())
    black = Image.new("RGB", (32, 32))
    with pytest.raises(UnchangedImageError):
        Degrade("gaussian_blur", 2, seed=0)(black)
    lenient = Degrade("gaussian_blur", 2, seed=0, unchanged="warn")
    with pytest.warns(UserWarning, match=r"gaussian_blur leaves .* further such images are not mentioned"):
        assert same(lenient(black), black)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(lenient(black), black)
        assert same(Degrade("gaussian_blur", 2, seed=0, allow_unchanged=True)(black), black)
    assert same(lenient(pil()), Degrade("gaussian_blur", 2, seed=0)(pil()))


def test_a_range_of_ones_own():
    unit = picture(shape=(40, 56)).astype(np.float32) / 255
    hounsfield = (unit * 2000 - 1000).astype(np.int16)
    out = Degrade("reduce_contrast", 1, seed=0, value_range=(-1000, 1000))(hounsfield)
    assert out.dtype == np.int16
    mean = hounsfield.mean()
    assert np.abs(out - (mean + 0.65 * (hounsfield - mean))).max() <= 1
    assert same(Degrade("exposure", 0, seed=0, value_range=(0, 1))(hounsfield), hounsfield)


def test_a_clip_has_one_draw_and_noise_of_its_own_in_each_frame():
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    clip = tv_tensors.Video(torch.stack([chw(picture(index)) for index in range(3)]))
    out, records = Degrade("dark_spots", 2, seed=0).apply_with_record(clip)
    assert isinstance(out, tv_tensors.Video)
    assert len({str(record["parameters"]["centre"]) for record in records}) == 1
    for frame, index in zip(out, range(3), strict=True):
        expected = degrade(picture(index), "dark_spots", 2, seed=records[0]["seed"])
        assert same(frame.numpy().transpose(1, 2, 0), expected)
    still = tv_tensors.Video(torch.stack([chw(picture())] * 2))
    noisy = Degrade("gaussian_noise", 2, seed=0)(still)
    assert not torch.equal(noisy[0], noisy[1])


# Each spawned worker imports torch.
@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_of_either_kind_give_the_same_whatever_their_number(start):
    torch = pytest.importorskip("torch")
    data = Pictures(Degrade(["gaussian_noise", "object_rotation"], "0.5 to 2", seed=0, p=0.8, weights=(1, 2)))
    alone = torch.cat(list(torch.utils.data.DataLoader(data, batch_size=2)))
    for workers in (1, 2):
        loader = torch.utils.data.DataLoader(data, batch_size=2, num_workers=workers, multiprocessing_context=start)
        assert torch.equal(torch.cat(list(loader)), alone)
