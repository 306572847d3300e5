#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""check_files.py FOLDER SCHEMA [SARIF_SCHEMA]: reads the reports in FOLDER as other programs would: their JSON by
SCHEMA, their CSV by Python's own reader, and their SARIF by SARIF_SCHEMA."""

import csv
import json
import re
import sys

import jsonschema


def require(holds, what):
    if not holds:
        sys.exit(f'check_files.py: {what}')


def load(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def validate(path, schema):
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    errors = [f'{"/".join(map(str, e.absolute_path))}: {e.message[:300]}' for e in validator(schema).iter_errors(load(path))]
    require(not errors, f'{path}: ' + '; '.join(errors[:5]))


def check_csv(path, report):
    with open(path, encoding='utf-8', newline='') as file:
        rows = list(csv.reader(file, strict=True))
    findings = report['findings']
    require(len(rows) == len(findings) + 1, f'{path}: {len(rows)} rows')
    for row, finding in zip(rows[1:], findings):
        require(len(row) == len(rows[0]), f'{path}: a row has {len(row)} cells')
        cells = dict(zip(rows[0], row))
        for cell in row:
            require(not cell.lstrip().startswith(('=', '+', '-', '@', '\uff1d')), f'{path}: a formula: {cell[:40]!r}')
            require(not re.search(r'; *"*[=+@\uff1d-]', cell), f'{path}: a formula behind a semicolon: {cell[:40]!r}')
            require(cell.isprintable() and len(cell) < 32_767, f'{path}: a cell: {cell[:40]!r}')
        require(cells['rule'] == finding['rule'] and cells['severity'] == finding['severity'], f'{path}: order')
        name = finding.get('key', {}).get('name', '')
        if name.isascii() and name.isprintable() and len(name) < 4_000:
            cell = re.sub(r"""(^|;[ "]*)'(?= *[=+@\uff1d-])""", r'\1', cells['key_name'])
            require(cell == name, f'{path}: {name!r} is {cells["key_name"]!r}')


def main():
    folder, schema, *sarif = sys.argv[1:]
    for name in ('usual', 'hostile', 'empty'):
        validate(f'{folder}/{name}.json', load(schema))
        check_csv(f'{folder}/{name}.csv', load(f'{folder}/{name}.json'))
        if sarif:
            validate(f'{folder}/{name}.sarif', load(sarif[0]))
        print(f'{name}: JSON, CSV' + (', SARIF' if sarif else ''))
    # A validator that accepts everything has shown nothing.
    bad = load(f'{folder}/usual.json')
    bad['findings'][0]['grade'] = 'certain'
    require(not jsonschema.validators.validator_for(load(schema))(load(schema)).is_valid(bad), 'a bad report is valid')
    if sarif:
        bad = load(f'{folder}/usual.sarif')
        bad['runs'][0]['results'][0]['level'] = 'fatal'
        schema = load(sarif[0])
        require(not jsonschema.validators.validator_for(schema)(schema).is_valid(bad), 'a bad SARIF is valid')


if __name__ == '__main__':
    main()
