"""One draft or published version, kept as a snapshot."""

import time
import uuid
from dataclasses import dataclass

from opskit.dify.console import Console, Workflow
from opskit.history import Canonical
from opskit.history.shelf import Kept, Shelf, facts
from opskit.ports import Storage
from opskit.versions.living import Apart, living, moment


@dataclass(frozen=True, slots=True)
class Keeper:
    """What is the same for every snapshot that is taken in one go; ``now`` in seconds since the epoch."""

    console: Console
    storage: Storage
    apart: Apart
    ends: float
    now: float
    dify_version: str

    def keep(
        self, app_id: str, flow: Workflow, *, most: int, tag: str = "", note: str = ""
    ) -> tuple[Kept, Canonical, bool]:
        """Keep it, unless the newest snapshot of its kind means the same; then that one, and True.

        ``most`` is how many stay that nobody has tagged. As ``living`` and ``Shelf.add``.
        """
        made = living(self.console, app_id, flow, self.ends, self.apart, whether_empty=False)
        shelf, source = Shelf(self.storage, app_id), "draft" if flow.is_draft else "published"
        kept = [entry for entry in shelf.entries() if entry.source == source]
        if kept and kept[-1].sha256 == made.sha256:
            entry = kept[-1]
            if tag and not entry.tagged:
                entry = shelf.tag(entry.snapshot_id, tag)
            return entry, made, True
        entry = facts(
            snapshot_id=uuid.uuid4().hex[:12],
            tag=tag or time.strftime("%Y%m%d-%H%M%S", time.gmtime(self.now)),
            tagged=bool(tag),
            note=note,
            sha256=made.sha256,
            created=moment(self.now),
            by=flow.updated_by or flow.created_by,
            name=made.dsl.name,
            mode=made.dsl.mode,
            source=source,
            version_id="" if flow.is_draft else flow.id,
            dify_version=self.dify_version,
        )
        return shelf.add(made.text, entry, keep=most), made, False
