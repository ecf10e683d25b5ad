"""Every verb of the releases room, each in a file with its like: the one place to import them from."""

from portal.releases.drafts import (
    Audience,
    ReleaseFacts,
    change_release,
    create_release,
    give_waiver,
    set_audience,
)
from portal.releases.issues import (
    IssueFacts,
    IssueWords,
    change_issue,
    create_issue,
    link_issue,
    unlink_issue,
)
from portal.releases.notes import notes_bytes, save_notes
from portal.releases.products import (
    ExportRuleFacts,
    ProductFacts,
    TrainFacts,
    add_export_rule,
    change_product,
    create_product,
    remove_export_rule,
    save_train,
)
from portal.releases.publishing import open_signer, publish, recommend
from portal.releases.review import approve, problems, return_to_draft, submit
from portal.releases.uploads import NewArtifact, add_artifact, remove_artifact, require_free
from portal.releases.withdrawal import withdraw

__all__ = [
    "Audience",
    "ExportRuleFacts",
    "IssueFacts",
    "IssueWords",
    "NewArtifact",
    "ProductFacts",
    "ReleaseFacts",
    "TrainFacts",
    "add_artifact",
    "add_export_rule",
    "approve",
    "change_issue",
    "change_product",
    "change_release",
    "create_issue",
    "create_product",
    "create_release",
    "give_waiver",
    "link_issue",
    "notes_bytes",
    "open_signer",
    "problems",
    "publish",
    "recommend",
    "remove_artifact",
    "remove_export_rule",
    "require_free",
    "return_to_draft",
    "save_notes",
    "save_train",
    "set_audience",
    "submit",
    "unlink_issue",
    "withdraw",
]
