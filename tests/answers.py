"""What an answer of the portal says, inside PDFs and archives too."""

import zipfile
from io import BytesIO

from pypdf import PdfReader
from werkzeug.test import TestResponse


def words_of(content: bytes) -> str:
    """Every word of a page, a PDF or an archive (with the names of its files)."""
    if content[:4] == b"%PDF" and b"%%EOF" in content[-1024:]:
        return "".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    if content[:4] == b"PK\3\4":
        with zipfile.ZipFile(BytesIO(content)) as packed:
            return "\n".join(f"{name}\n{words_of(packed.read(name))}" for name in packed.namelist())
    return content.decode(errors="replace")


def words_in(answer: TestResponse) -> str:
    """The answer's words and its headers' (a file's name, an address); closes it."""
    with answer:
        return f"{answer.headers}\n{words_of(answer.data)}"
