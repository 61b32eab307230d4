"""`python -m docs.generate`: writes all generated files."""

from docs.generate.files import ROOT, generate

for name, text in generate().items():
    path = ROOT / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
