#!/usr/bin/env python3
"""test_renumber.py - copies that bench/renumber makes are other people, but whole ones.

Command line: test_renumber.py RENUMBER
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

PATIENT = "27de96c6-6910-4f0f-8f10-00ce6090f447"
VISIT = "8445184a-1111-4f0f-8f10-00ce6090f448"
BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": f"urn:uuid:{PATIENT}",
            "resource": {
                "resourceType": "Patient",
                "id": PATIENT,
                "identifier": [{"system": "urn:ssn", "value": "999-12-3456"}],
                "name": [{"family": "Atencio", "given": ["Alberto", "B."]}],
                "birthDate": "1970-02-28",
            },
            "request": {"method": "POST", "url": "Patient"},
        },
        {
            "fullUrl": f"urn:uuid:{VISIT}",
            "resource": {
                "resourceType": "Encounter",
                "id": VISIT,
                "status": "finished",
                "class": {"code": "AMB"},
                "subject": {"reference": f"urn:uuid:{PATIENT}"},
                "period": {"start": "2000-02-29T10:00:00Z", "end": "2000-02-29T10:30:00Z"},
            },
            "request": {"method": "POST", "url": "Encounter"},
        },
    ],
}
RENUMBER = ""


class Renumber(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bundle = os.path.join(folder.name, "bundle.json")
        with open(self.bundle, "w", encoding="utf-8") as file:
            json.dump(BUNDLE, file, indent=2)

    def run_it(self, *words):
        return subprocess.run([RENUMBER, *words, self.bundle], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def copies(self, *words):
        return [json.loads(line) for line in self.run_it(*words).splitlines()]

    def test_the_same_seed_gives_the_same_bytes(self):
        first = self.run_it("--count", "50", "--seed", "7")
        self.assertEqual(first, self.run_it("--count", "50", "--seed", "7"))
        self.assertNotEqual(first, self.run_it("--count", "50", "--seed", "8"))

    def test_counts_and_ids(self):
        made = self.copies("--count", "101")
        self.assertEqual(len(made), 101)
        ids = {r["id"] for r in made}
        self.assertEqual(len(ids), 101)
        self.assertNotIn(PATIENT, ids)
        for one in ids:
            self.assertRegex(one, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-")

    def test_references_lead_to_the_copy(self):
        made = self.copies("--count", "40")
        for patient, visit in zip(made[::2], made[1::2]):
            self.assertEqual(visit["subject"]["reference"], f"Patient/{patient['id']}")

    def test_dates_move_together(self):
        made = self.copies("--count", "40")
        days = {r["birthDate"] for r in made[::2]}
        self.assertGreater(len(days), 15)
        for visit in made[1::2]:
            start, end = visit["period"]["start"], visit["period"]["end"]
            self.assertEqual(start[:10], end[:10])
            self.assertTrue(start.endswith("T10:00:00Z") and end.endswith("T10:30:00Z"))

    def test_identifiers_keep_their_form(self):
        made = self.copies("--count", "40")
        values = {r["identifier"][0]["value"] for r in made[::2]}
        self.assertGreater(len(values), 15)
        for value in values:
            self.assertTrue(re.fullmatch(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", value))

    def test_whole_bundles(self):
        made = self.copies("--bundles", "--count", "6")
        self.assertEqual([b["type"] for b in made], ["transaction"] * 3)
        for bundle in made:
            patient, visit = bundle["entry"]
            self.assertEqual(patient["fullUrl"], f"urn:uuid:{patient['resource']['id']}")
            self.assertEqual(visit["resource"]["subject"]["reference"], patient["fullUrl"])


if __name__ == "__main__":
    RENUMBER = sys.argv.pop(1)
    unittest.main()
