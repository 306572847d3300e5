#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""check_page.py CHROMIUM FOLDER: opens the pages of reports in a browser, and uses them as a reader would."""

import json
import sys
import tempfile

from chromium import Chromium

COLUMNS = 6
VISIBLE = "Array.from(document.querySelectorAll('#findings tbody tr')).filter((row) => !row.hidden)"
TEXTS = "Array.from(document.querySelectorAll('#findings tbody tr')).map((row) => row.textContent)"
CELLS = ("Array.from(document.querySelectorAll('#findings tbody tr')).map((row) => {"
         " const cell = row.cells[%d]; return cell.dataset.order ?? cell.textContent.trim().toLowerCase(); })")


def require(holds, what):
    if not holds:
        sys.exit(f'check_page.py: {what}')


def check_quiet(tab, path, title):
    require(not tab.complaints(), f'{path}: the console is not empty: {tab.complaints()}')
    require(len(tab.requests()) == 1, f'{path}: more is asked for than the page: {tab.requests()}')
    require(tab.eval('document.title') == title, f'{path}: the title is {tab.eval("document.title")!r}')
    # Nothing became an element that came as a name.
    for selector, count in (('script', 1), ('style', 1), ('img, iframe, object, embed, form, a, i', 0)):
        require(tab.eval(f"document.querySelectorAll('{selector}').length") == count, f'{path}: {selector}')
    handlers = ("Array.from(document.querySelectorAll('*')).some((element) =>"
                " Array.from(element.attributes).some((attribute) => attribute.name.startsWith('on')))")
    require(not tab.eval(handlers), f'{path}: an element has a handler')


def check_sorting(tab, path):
    before = sorted(tab.eval(TEXTS))
    for column in range(COLUMNS):
        for is_descending in (False, True):
            tab.eval(f"document.querySelectorAll('#findings thead button')[{column}].click()")
            cells = tab.eval(CELLS % column)
            # As the page compares: by UTF-16 units.
            wanted = sorted(cells, key=lambda cell: cell.encode('utf-16-be', 'surrogatepass'), reverse=is_descending)
            require(cells == wanted, f'{path}: column {column} is not sorted')
            state = tab.eval(f"document.querySelectorAll('#findings th')[{column}].getAttribute('aria-sort')")
            require(state == ('descending' if is_descending else 'ascending'), f'{path}: aria-sort is {state}')
    require(sorted(tab.eval(TEXTS)) == before, f'{path}: sorting has changed the rows')


def check_filter(tab, path, report):
    def choose(control, value):
        tab.eval(f"(() => {{ const control = document.getElementById('{control}'); control.value = {json.dumps(value)};"
                 " control.dispatchEvent(new Event('input')); })()")
        return tab.eval(f'{VISIBLE}.length')

    findings = report['findings']
    require(choose('severity', 'error') == sum(f['severity'] == 'error' for f in findings), f'{path}: severity')
    require(choose('severity', '') == len(findings), f'{path}: every severity')
    rule = findings[-1]['rule']
    require(choose('rule', rule) == report['counts'][rule], f'{path}: rule')
    require(choose('rule', '') == len(findings), f'{path}: every rule')
    require(choose('text', 'no such text in any row') == 0, f'{path}: text')
    require(tab.eval("document.getElementById('shown').textContent") == f'0 of {len(findings)}', f'{path}: count')
    require(0 < choose('text', '  PROVEN ') <= len(findings), f'{path}: text, in capitals')
    require(choose('text', '') == len(findings), f'{path}: no text')


def check_schemes(tab, path):
    def background(scheme):
        tab.call('Emulation.setEmulatedMedia', media='screen',
                 features=[{'name': 'prefers-color-scheme', 'value': scheme}])
        return tab.eval('getComputedStyle(document.body).backgroundColor')

    require(background('light') != background('dark'), f'{path}: no dark scheme')
    tab.call('Emulation.setEmulatedMedia', media='print')
    require(tab.eval("getComputedStyle(document.querySelector('.controls')).display") == 'none', f'{path}: on paper')
    require(tab.eval('getComputedStyle(document.body).backgroundColor') == 'rgb(255, 255, 255)', f'{path}: on paper')


def check_without_scripts(browser, path, number):
    tab = browser.open(path, scripts=False)
    require(tab.eval(f'{VISIBLE}.length') == number, f'{path}: without scripts rows are missing')
    require(tab.eval("getComputedStyle(document.querySelector('.controls')).display") == 'none',
            f'{path}: without scripts there are controls')


def check_policy(browser, path):
    """What a mistake in the escaping would let in does nothing all the same."""
    tab = browser.open(path)
    title = tab.eval('document.title')
    tab.eval("document.body.insertAdjacentHTML('beforeend',"
             " `<img src=x onerror=\"document.title='owned'\"><p style='color:red' id=p></p>`)")
    require(tab.complaints(), f'{path}: the policy has refused nothing')
    require(tab.eval('document.title') == title, f'{path}: the policy has let a handler run')
    require(tab.eval("getComputedStyle(document.getElementById('p')).color") != 'rgb(255, 0, 0)',
            f'{path}: the policy has let a style in')


def main():
    program, folder = sys.argv[1:]
    # A helper of the browser that is still being killed may write into its profile.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, Chromium(program, profile) as browser:
        for name in ('usual', 'hostile', 'empty'):
            path = f'{folder}/{name}.html'
            with open(f'{folder}/{name}.json', encoding='utf-8') as file:
                report = json.load(file)
            tab = browser.open(path)
            check_quiet(tab, path, f'API keys of {report["organisation"]}')
            number = len(report['findings'])
            require(tab.eval("document.querySelectorAll('#findings tbody tr').length") == number, f'{path}: rows')
            if number:
                check_sorting(tab, path)
                check_filter(tab, path, report)
                check_schemes(tab, path)
                check_quiet(tab, path, f'API keys of {report["organisation"]}')
                check_without_scripts(browser, path, number)
                check_policy(browser, path)
            print(f'{path}: {number} rows')


if __name__ == '__main__':
    main()
