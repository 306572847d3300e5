# SPDX-License-Identifier: BSL-1.0
"""A headless Chromium that is driven through a pipe: what a page says, asks for and does."""

import json
import os
import select
import signal
import subprocess
import time


class Chromium:
    """One browser. Use as a context manager."""

    def __init__(self, program, profile):
        to_browser, self._commands = os.pipe()
        self._answers, from_browser = os.pipe()
        # The browser reads its descriptor 3, and writes to 4.
        wiring = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"'
        options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', '--no-first-run',
                   '--disable-background-networking', '--disable-dev-shm-usage', f'--user-data-dir={profile}']
        self._process = subprocess.Popen(
            ['bash', '-c', wiring, 'bash', program, *options, 'about:blank'], pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b''
        self._last = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self._process.pid, signal.SIGKILL)  # its helpers, too
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def _read(self, seconds):
        """Returns the next message, or None."""
        end = time.monotonic() + seconds
        while b'\0' not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(end - time.monotonic(), 0))
            if not ready:
                return None
            piece = os.read(self._answers, 1 << 16)
            if not piece:
                raise RuntimeError('the browser has ended')
            self._buffer += piece
        message, self._buffer = self._buffer.split(b'\0', 1)
        return json.loads(message)

    def call(self, method, session=None, **params):
        """Calls a method of the protocol. Events that come meanwhile are kept."""
        self._last += 1
        command = {'id': self._last, 'method': method, 'params': params}
        if session:
            command['sessionId'] = session
        os.write(self._commands, json.dumps(command).encode() + b'\0')
        while True:
            message = self._read(60)
            if message is None:
                raise RuntimeError(f'{method}: no answer')
            if message.get('id') == self._last:
                if 'error' in message:
                    raise RuntimeError(f'{method}: {message["error"]}')
                return message['result']
            self.events.append(message)

    def wait_for(self, method, session):
        while True:
            for event in self.events:
                if event.get('method') == method and event.get('sessionId') == session:
                    return
            message = self._read(60)
            if message is None:
                raise RuntimeError(f'{method}: it does not come')
            self.events.append(message)

    def open(self, path, scripts=True):
        """Opens a file in a new tab."""
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(f'{domain}.enable', session)
        if not scripts:
            self.call('Emulation.setScriptExecutionDisabled', session, value=True)
        self.call('Page.navigate', session, url='file://' + os.path.abspath(path))
        self.wait_for('Page.loadEventFired', session)
        return Tab(self, session)


class Tab:
    """A page that is open."""

    def __init__(self, browser, session):
        self._browser = browser
        self._session = session

    def eval(self, expression):
        result = self.call('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in result:
            raise RuntimeError(f'{expression}: {result["exceptionDetails"]}')
        return result['result'].get('value')

    def call(self, method, **params):
        return self._browser.call(method, self._session, **params)

    def _events(self, method):
        return [e['params'] for e in self._browser.events
                if e.get('sessionId') == self._session and e.get('method') == method]

    def complaints(self):
        """What the console shows."""
        self.eval('new Promise((done) => setTimeout(done, 50))')
        return [*self._events('Log.entryAdded'), *self._events('Runtime.exceptionThrown'),
                *self._events('Runtime.consoleAPICalled')]

    def requests(self):
        """The addresses of all that was asked for, without what a page contains itself."""
        asked = [event['request']['url'] for event in self._events('Network.requestWillBeSent')]
        return [url for url in asked if not url.startswith('data:')]
