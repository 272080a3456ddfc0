"""Rules for the icons that the manifest and the provider name."""

from collections.abc import Iterator

from devtools.rules.plugin import MANIFEST, Plugin
from devtools.rules.rulebook import Finding, rule

_LONGEST_ICON = 128
_TEMPLATE_ICON = "DIFY_MARKETPLACE_TEMPLATE_ICON_DO_NOT_USE"


def _icons(plugin: Plugin) -> Iterator[tuple[str, str]]:
    """Every icon's name with the file that names it."""
    if plugin.manifest:
        for icon in (plugin.manifest.icon, plugin.manifest.icon_dark):
            if icon is not None:
                yield MANIFEST, icon
    for path, provider in plugin.providers.items():
        for icon in (provider.identity.icon, provider.identity.icon_dark):
            if icon is not None:
                yield path, icon


@rule
def icon_length(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's limit for an icon's name."""
    for path, icon in _icons(plugin):
        if len(icon) > _LONGEST_ICON:
            yield path, f"the icon's name has {len(icon)} characters, more than {_LONGEST_ICON}"


@rule
def icon_exists(plugin: Plugin) -> Iterator[Finding]:
    """The packager looks for the icons in _assets; without that folder the plugin does not start."""
    for path, icon in _icons(plugin):
        if len(icon) <= _LONGEST_ICON and not plugin.has(f"_assets/{icon}"):
            yield path, f"icon _assets/{icon} does not exist"


@rule
def icon_kind(plugin: Plugin) -> Iterator[Finding]:
    """Dify shows SVG and PNG."""
    for path, icon in _icons(plugin):
        if plugin.has(f"_assets/{icon}") and not icon.endswith((".svg", ".png")):
            yield path, f"icon {icon} is neither SVG nor PNG"


@rule
def icon_template(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace rejects the icon that Dify's plugin template comes with."""
    for icon in sorted({icon for _, icon in _icons(plugin)}):
        if _TEMPLATE_ICON in plugin.text(f"_assets/{icon}"):
            yield f"_assets/{icon}", "is the template's icon"
