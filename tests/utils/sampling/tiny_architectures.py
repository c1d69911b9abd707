"""Random models of about 50,000 parameters in stock architectures, and one prompt with an image for each."""

from __future__ import annotations

from typing import Any

import torch
import transformers

IMAGE, START, END, EOS, PAD = 90, 91, 92, 93, 94
VOCABULARY = 96
SIDE = 28

_TEXT = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 512,
    "bos_token_id": None,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
}
_MROPE = {"rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]}, "rope_theta": 1e4}
_VISION = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
_SQUARE = {**_VISION, "image_size": SIDE, "patch_size": 14}


def _qwen(prefix: str) -> Any:
    two = prefix == "Qwen2VL"
    vision = {"depth": 1, "num_heads": 2, "patch_size": 14, "spatial_merge_size": 2}
    vision |= {"embed_dim": 16, "hidden_size": 32} if two else {"hidden_size": 16, "intermediate_size": 24}
    vision |= {} if two else {"out_hidden_size": 32, "fullatt_block_indexes": [0]}
    return getattr(transformers, f"{prefix}Config")(
        text_config={**_TEXT, **_MROPE},
        vision_config=vision,
        image_token_id=IMAGE,
        video_token_id=95,
        vision_start_token_id=START,
        vision_end_token_id=END,
        tie_word_embeddings=False,
    )


def configuration(name: str) -> Any:
    """Of a model of two layers."""
    siglip = transformers.SiglipVisionConfig(**_SQUARE, vision_use_head=False)
    match name:
        case "qwen2_5_vl":
            return _qwen("Qwen2_5_VL")
        case "qwen2_vl":
            return _qwen("Qwen2VL")
        case "llava":
            return transformers.LlavaConfig(
                text_config=transformers.LlamaConfig(**_TEXT),
                vision_config=transformers.CLIPVisionConfig(**_SQUARE),
                image_token_index=IMAGE,
                vision_feature_layer=-1,
            )
        case "llava_onevision":
            return transformers.LlavaOnevisionConfig(
                text_config=transformers.Qwen2Config(**_TEXT),
                vision_config=siglip,
                image_token_index=IMAGE,
                image_grid_pinpoints=[[SIDE, SIDE]],
                vision_feature_layer=-1,
                vision_feature_select_strategy="full",
            )
        case "internvl":
            vision = {**_VISION, "image_size": [SIDE, SIDE], "patch_size": [7, 7]}
            return transformers.InternVLConfig(
                text_config=transformers.Qwen2Config(**_TEXT),
                vision_config=transformers.InternVLVisionConfig(**vision),
                image_token_id=IMAGE,
                image_seq_length=4,
            )
        case "gemma3":
            return transformers.Gemma3Config(
                text_config=transformers.Gemma3TextConfig(
                    **_TEXT, head_dim=16, sliding_window=8, layer_types=["sliding_attention", "full_attention"]
                ),
                vision_config=siglip,
                mm_tokens_per_image=4,
                image_token_index=IMAGE,
                boi_token_index=START,
                eoi_token_index=END,
            )
        case "idefics3" | "smolvlm":
            kind = {"idefics3": "Idefics3", "smolvlm": "SmolVLM"}[name]
            vision = getattr(transformers, f"{kind}VisionConfig")(**_SQUARE)
            return getattr(transformers, f"{kind}Config")(
                text_config=transformers.LlamaConfig(**_TEXT),
                vision_config=vision,
                image_token_id=IMAGE,
                scale_factor=2,
                pad_token_id=PAD,
            )
    raise ValueError(name)


_IMAGE_TOKENS = {"llava": 4, "llava_onevision": 10, "internvl": 4, "gemma3": 4, "idefics3": 1, "smolvlm": 1}
ARCHITECTURES = ("qwen2_5_vl", "qwen2_vl", *_IMAGE_TOKENS)


def tiny_model(name: str, dtype: torch.dtype) -> Any:
    """A random model with settings of its own for generation."""
    model = random_model(configuration(name))
    model.generation_config = transformers.GenerationConfig(
        do_sample=True, temperature=1.0, top_k=0, top_p=1.0, eos_token_id=EOS, pad_token_id=PAD
    )
    return model.to(dtype)


def random_model(config: Any) -> Any:
    """A model whose logits spread enough that its choices differ, the same in every call."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = transformers.AutoModelForImageTextToText.from_config(config).eval()
        for name_of, parameter in model.named_parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.25 if "lm_head" in name_of or "embed" in name_of else 0.15)
    return model


def prompt(name: str, dtype: torch.dtype, *, seed: int = 0, words: int = 6) -> dict[str, torch.Tensor]:
    """What a processor would make of an image and a text: the tensors of one call of `generate`."""
    generator = torch.Generator().manual_seed(seed)
    count = _IMAGE_TOKENS.get(name, 4)
    text = torch.randint(0, 80, (words + 2,), generator=generator).tolist()
    ids = torch.tensor([[text[0], START, *[IMAGE] * count, END, *text[1:]]])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    pixels = torch.randn((1, 3, SIDE, SIDE), generator=generator).to(dtype)
    if name.startswith("qwen"):
        inputs["pixel_values"] = torch.randn((16, 3 * 2 * 14 * 14), generator=generator).to(dtype)
        inputs["image_grid_thw"] = torch.tensor([[1, 4, 4]])
        inputs["mm_token_type_ids"] = (ids == IMAGE).int()
    elif name == "llava_onevision":
        inputs["pixel_values"] = pixels.repeat(2, 1, 1, 1)[None]
        inputs["image_sizes"] = torch.tensor([[SIDE, SIDE]])
    elif name in ("idefics3", "smolvlm"):
        inputs["pixel_values"] = pixels[None]
    else:
        inputs["pixel_values"] = pixels
    if name == "gemma3":
        inputs["token_type_ids"] = (ids == IMAGE).long()
    return inputs
