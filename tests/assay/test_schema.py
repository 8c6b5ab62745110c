# SPDX-License-Identifier: Apache-2.0
"""Values against schemas, as python3-jsonschema judges them: random pairs of both, within what the
program knows of JSON Schema, and what it does not know is refused by name."""
import json
import random
import unittest

import jsonschema

from tests.assay.driver import Driver

NAMES = ("a", "b", "größe", "x.y", "", "ж")
TEXTS = ("", "a", "ab", "día", "🙂🙂", "日本", "1")
NUMBERS = (0, 1, -1, 2, 10, 1.0, -0.0, 1.5, 0.1, 2.0, 1e3, 1000, 12345678901234567890, 1e-3, -7.25)
TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
KEYWORDS = ("type", "required", "enum", "const", "properties", "additionalProperties", "items",
            "minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength", "anyOf")


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.driver = Driver()

    @classmethod
    def tearDownClass(cls):
        assert cls.driver.close() == 0

    def value(self, r, depth=3):
        kind = r.choice(("text", "number", "rest", "object", "array") if depth else
                        ("text", "number", "rest"))
        if kind == "object":
            return {n: self.value(r, depth - 1) for n in r.sample(NAMES, r.randint(0, 3))}
        if kind == "array":
            return [self.value(r, depth - 1) for _ in range(r.randint(0, 3))]
        return r.choice({"text": TEXTS, "number": NUMBERS, "rest": (True, False, None)}[kind])

    def held(self, r, keyword, depth):
        if keyword == "type":
            return r.choice(TYPES) if r.random() < 0.7 else r.sample(TYPES, r.randint(1, 3))
        if keyword == "required":
            return r.sample(NAMES, r.randint(0, 2))
        if keyword == "enum":
            return [self.value(r, 2) for _ in range(r.randint(1, 4))]
        if keyword == "const":
            return self.value(r, 2)
        if keyword == "properties":
            return {n: self.schema(r, depth - 1) for n in r.sample(NAMES, r.randint(0, 3))}
        if keyword == "additionalProperties":
            return r.choice((True, False, self.schema(r, depth - 1)))
        if keyword == "items":
            return self.schema(r, depth - 1)
        if keyword == "anyOf":
            return [self.schema(r, depth - 1) for _ in range(r.randint(1, 3))]
        return r.choice(NUMBERS) if keyword in ("minimum", "maximum") else r.randint(0, 3)

    def schema(self, r, depth=3):
        known = KEYWORDS if depth else [k for k in KEYWORDS if k not in (
            "properties", "additionalProperties", "items", "anyOf")]
        return {k: self.held(r, k, depth) for k in r.sample(known, r.randint(0, 4))}

    def leaves(self, judge, value):
        return {e.validator for e in judge.iter_errors(value)}

    def test_random_pairs(self):
        r, pairs, seen = random.Random(20261129), 0, {}
        for _ in range(1500):
            schema = self.schema(r)
            judge = jsonschema.Draft202012Validator(schema)
            jsonschema.Draft202012Validator.check_schema(schema)
            values = [self.value(r) for _ in range(12)]
            # Values near what the schema names, which a blind choice seldom meets.
            values += schema.get("enum", []) + ([schema["const"]] if "const" in schema else [])
            got = self.driver.ask("schema", schema=schema, values=values)
            self.assertTrue(got["ok"], (got["why"], schema))
            for value, broken in zip(values, got["broken"], strict=True):
                wrong = self.leaves(judge, value)
                self.assertEqual(broken == "", not wrong, (schema, value, broken, wrong))
                self.assertIn(broken, wrong or {""}, (schema, value))
                seen[broken] = seen.get(broken, 0) + 1
                pairs += 1
        self.assertGreater(pairs, 15000)
        for keyword in (*set(KEYWORDS) - {"properties", "items"}, ""):
            self.assertGreater(seen.get(keyword, 0), 20, (keyword, seen))

    def ask(self, schema, text):
        line = f'{{"do": "schema", "schema": {json.dumps(schema)}, "values": [{text}]}}\n'
        self.driver.process.stdin.write(line)
        self.driver.process.stdin.flush()
        return json.loads(self.driver.process.stdout.readline())["broken"][0]

    def test_numbers_that_a_double_does_not_hold(self):
        for bound, number, broken in (
                (9007199254740993, "9007199254740992", "minimum"),
                (9007199254740993, "9007199254740993.0", ""),
                (1, "0.99999999999999999999999999999999", "minimum"), (1, "1e999999999999999", ""),
                (1, "-1e999999999999999", "minimum"), (1, "1e-999999999999999", "minimum"),
                (-1, "-0.5e1", "minimum"), (0, "-0", ""), (100, "0.01e4", ""),
                (100, "0.00099e5", "minimum")):
            self.assertEqual(self.ask({"minimum": bound}, number), broken, (bound, number))
        for number, broken in (("1e2", ""), ("100e-2", ""), ("100e-3", "type"), ("-0.0", ""),
                               ("12.50e1", ""), ("1.25e1", "type")):
            self.assertEqual(self.ask({"type": "integer"}, number), broken, number)

    def test_what_is_not_known_is_refused_by_name(self):
        for name, held in (("pattern", "^a"), ("oneOf", [{}]), ("$ref", "#"), ("format", "date"),
                           ("minProperties", 1), ("if", {})):
            for schema in ({name: held}, {"properties": {"a": {"items": {name: held}}}},
                           {"anyOf": [{}, {"additionalProperties": {name: held}}]}):
                got = self.driver.ask("schema", schema=schema, values=[])
                self.assertFalse(got["ok"], schema)
                self.assertIn(f'"{name}"', got["why"])

    def test_what_a_keyword_cannot_hold(self):
        for schema in ({"type": "text"}, {"type": []}, {"type": [["string"]]}, {"required": "a"},
                       {"required": [1]}, {"enum": []}, {"enum": {}}, {"properties": []},
                       {"items": [{}]}, {"items": True}, {"additionalProperties": 1},
                       {"anyOf": []}, {"anyOf": {}}, {"minItems": -1}, {"minLength": 1.5},
                       {"minimum": "1"}, {"title": 1}, [], "object"):
            got = self.driver.ask("schema", schema=schema, values=[])
            self.assertFalse(got["ok"], schema)
            self.assertGreater(len(got["why"]), 10)

    def test_strangers_take_no_more_time_than_this(self):
        """Members are looked for one by one, so that there may not be many."""
        many = {str(i): {} for i in range(257)}
        for schema in ({"properties": many}, {"enum": list(range(257))}, {"required": list(many)}):
            self.assertIn("256", self.driver.ask("schema", schema=schema, values=[])["why"])
        few = {str(i): {} for i in range(256)}
        values = [{str(i): i for i in range(n)} for n in (256, 257)]
        found = self.driver.ask("schema", schema={"properties": few}, values=values)
        self.assertEqual([b != "" for b in found["broken"]], [False, True])


if __name__ == "__main__":
    unittest.main()
