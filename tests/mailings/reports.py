"""What mail servers write when a message is late or comes back, each in its own manner (RFC 3464)."""

POSTFIX_FAILED = """\
Return-Path: <>
Date: Tue, 10 Mar 2026 12:00:07 +0000 (UTC)
From: MAILER-DAEMON@mx.vendor.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: portal@localhost
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XbQ5k1zJ7z3.1741608007/mx.vendor.example"
Content-Transfer-Encoding: 8bit
Message-Id: <20260310120007.4XbQ5k1zJ7z3@mx.vendor.example>

This is a MIME-encapsulated message.

--4XbQ5k1zJ7z3.1741608007/mx.vendor.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This is the mail system at host mx.vendor.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{recipient}>: host mx.alpha.example[192.0.2.44] said: 550 5.1.1
    <{recipient}>: Recipient address rejected: User unknown (in reply to
    RCPT TO command)

--4XbQ5k1zJ7z3.1741608007/mx.vendor.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.vendor.example
X-Postfix-Queue-ID: 4XbQ5k1zJ7z3
X-Postfix-Sender: rfc822; portal@localhost
Original-Envelope-Id: {envelope_id}
Arrival-Date: Tue, 10 Mar 2026 12:00:05 +0000 (UTC)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.alpha.example
Diagnostic-Code: smtp; {diagnostic}

--4XbQ5k1zJ7z3.1741608007/mx.vendor.example
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: 8bit

Return-Path: <portal@localhost>
From: portal@localhost
To: =?utf-8?b?0J7Qu9GM0LPQsA==?= <{recipient}>
Subject: Delivery
Message-ID: {message_id}
Auto-Submitted: auto-generated

--4XbQ5k1zJ7z3.1741608007/mx.vendor.example--
"""

EXIM_FAILED = """\
Return-path: <>
Received: from Debian-exim by mail.alpha.example with local (Exim 4.96)
\tid 1tuXYZ-0001Ab-2C
\tfor portal@localhost; Tue, 10 Mar 2026 12:00:09 +0000
X-Failed-Recipients: {recipient}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mail.alpha.example>
To: portal@localhost
References: {message_id}
Content-Type: multipart/report; report-type=delivery-status; boundary=1741608009-eximdsn-1804289383
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1tuXYZ-0001Ab-2C@mail.alpha.example>
Date: Tue, 10 Mar 2026 12:00:09 +0000

--1741608009-eximdsn-1804289383
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {recipient}
    mailbox is full: retry timeout exceeded

--1741608009-eximdsn-1804289383
Content-type: message/delivery-status

Reporting-MTA: dns; mail.alpha.example

Action: {action}
Final-Recipient: rfc822;{recipient}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--1741608009-eximdsn-1804289383
Content-type: message/rfc822

Return-path: <portal@localhost>
Received: from localhost ([127.0.0.1])
\tby mail.alpha.example with esmtp (Exim 4.96)
From: portal@localhost
To: {recipient}
Subject: Delivery
Message-ID:
 {message_id}
MIME-Version: 1.0
Content-Type: text/plain

text

--1741608009-eximdsn-1804289383--
"""

EXCHANGE_FAILED = """\
From: <postmaster@alpha.onmicrosoft.example>
To: <portal@localhost>
Date: Tue, 10 Mar 2026 12:00:11 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="8cbd5a19-b8e9-4f5e-93b2-5f4c3b4b3f5e"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <3d9bd9a9-58ba-4cd5-a7f7-c3a5b4b0fb15@AM0PR01MB.example>
In-Reply-To: {message_id}
Subject: Undeliverable: Delivery
Auto-Submitted: auto-replied
MIME-Version: 1.0

--8cbd5a19-b8e9-4f5e-93b2-5f4c3b4b3f5e
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="93e6cf92-1b0d-4b51-a9b8-2a4b3ad5ff6c"

--93e6cf92-1b0d-4b51-a9b8-2a4b3ad5ff6c
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Delivery has failed to these recipients or groups:=0A=0A{recipient}

--93e6cf92-1b0d-4b51-a9b8-2a4b3ad5ff6c
Content-Type: text/html; charset="us-ascii"

<html><body><p>Delivery has failed</p></body></html>

--93e6cf92-1b0d-4b51-a9b8-2a4b3ad5ff6c--

--8cbd5a19-b8e9-4f5e-93b2-5f4c3b4b3f5e
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01MB.alpha.example
Received-From-MTA: dns;mx.vendor.example
Arrival-Date: Tue, 10 Mar 2026 12:00:10 +0000

Final-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp;{diagnostic}

--8cbd5a19-b8e9-4f5e-93b2-5f4c3b4b3f5e
Content-Type: message/rfc822

Received: from mx.vendor.example (192.0.2.9) by AM0PR01MB.alpha.example
From: <portal@localhost>
To: <{recipient}>
Subject: Delivery
Message-ID: {message_id}
Content-Type: multipart/alternative; boundary="x"
MIME-Version: 1.0

--8cbd5a19-b8e9-4f5e-93b2-5f4c3b4b3f5e--
"""

STYLES = {"postfix": POSTFIX_FAILED, "exim": EXIM_FAILED, "exchange": EXCHANGE_FAILED}

AUTO_REPLY = """\
From: olga@alpha.example
To: portal@localhost
Subject: =?utf-8?b?0K8g0LIg0L7RgtC/0YPRgdC60LU=?=
Auto-Submitted: auto-replied (vacation)
In-Reply-To: {message_id}
Message-ID: <vacation@alpha.example>
Content-Type: text/plain; charset=utf-8

Я в отпуске.
"""


def report(style: str, message, **facts: str) -> bytes:
    """A report of this style about the message; `facts` replace what a good one says."""
    given = {"action": "failed", "status": "5.1.1", "diagnostic": "550 5.1.1 User unknown",
             "recipient": message.recipient, "message_id": message.message_id, "envelope_id": message.id.hex,
             **facts}  # fmt: skip
    return STYLES[style].format(**given).encode()
