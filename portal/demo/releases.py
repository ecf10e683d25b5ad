"""What the invented vendor publishes. Days count back from the day on which the demonstration is made."""

from dataclasses import dataclass, field

from portal.releases.models import ArtifactRole, Category, Level, Severity
from portal.releases.versions import Scheme

Texts = dict[str, dict[str, str]]


@dataclass(frozen=True)
class DemoProduct:
    code: str
    name: str
    category: Category
    scheme: Scheme
    family: str
    train: str
    description: str


@dataclass(frozen=True)
class DemoFile:
    name: str
    size_bytes: int
    role: ArtifactRole = ArtifactRole.IMAGE
    platform: str = ""


@dataclass(frozen=True)
class DemoIssue:
    public_id: str
    product: str
    severity: Severity
    cves: tuple[str, ...]
    titles: dict[str, str]
    descriptions: dict[str, str]
    workarounds: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoRelease:
    product: str
    version: str
    level: Level
    days_ago: int
    files: tuple[DemoFile, ...]
    notes: Texts
    fixes: tuple[str, ...] = ()
    affected_by: tuple[str, ...] = ()
    is_required: bool = False
    is_security_fix: bool = False
    is_free_security_fix: bool = False
    lowest_from: str | None = None
    recommended_because: str = ""
    withdrawn_because: str = ""
    downtime_minutes: int | None = None


PRODUCTS = (
    DemoProduct("es2400", "EdgeSwitch ES-2400", Category.FIRMWARE, Scheme.NATURAL, "Access", "15.1",
                "24-port access switch: boot loader and switching firmware in one image."),
    DemoProduct("polaris-os", "Polaris OS", Category.OPERATING_SYSTEM, Scheme.DEBIAN, "Access", "4",
                "Operating system of all access and aggregation nodes."),
    DemoProduct("flowview", "FlowView Manager", Category.APPLICATION, Scheme.SEMANTIC, "Management", "3.x",
                "Network management: inventory, alarms, bandwidth profiles."),
    DemoProduct("linkprobe", "LinkProbe", Category.TOOL, Scheme.NATURAL, "Management", "2",
                "Command-line tool that measures links before and after an update."),
)  # fmt: skip


def _notes(en: dict[str, str], ru: dict[str, str]) -> Texts:
    common_en = {
        "upgrade": "1. Save the configuration.\n2. Load the image.\n3. Reboot in the maintenance window.",
        "rollback": "Boot the previous image from the second bank: `boot bank 2`, then restore the configuration.",
    }
    common_ru = {
        "upgrade": "1. Сохраните конфигурацию.\n2. Загрузите образ.\n3. Перезагрузите в окно работ.",
        "rollback": "Загрузите прежний образ из второго банка: `boot bank 2`, затем восстановите конфигурацию.",
    }
    return {"en": common_en | en, "ru": common_ru | ru}


def _es(version: str) -> tuple[DemoFile, ...]:
    return (
        DemoFile(f"es2400-{version}.img", 3_400_000, platform="ES-2400"),
        DemoFile(f"es2400-{version}.spdx.json", 21_000, ArtifactRole.SBOM),
    )


ISSUES = (
    DemoIssue(
        "ES-1042", "es2400", Severity.CRITICAL, ("CVE-2026-20417",),
        {"en": "LLDP frame restarts the management plane", "ru": "Кадр LLDP перезапускает плоскость управления"},
        {"en": "A malformed LLDP frame from a neighbour restarts the management process. Traffic is not affected.",
         "ru": "Искажённый кадр LLDP от соседа перезапускает процесс управления. Трафик не страдает."},
        {"en": "Disable LLDP on ports towards foreign networks.", "ru": "Отключите LLDP на портах к чужим сетям."},
    ),
    DemoIssue(
        "ES-0987", "es2400", Severity.HIGH, (),
        {"en": "QinQ counters stop after 2^32 frames", "ru": "Счётчики QinQ останавливаются после 2^32 кадров"},
        {"en": "Counters of QinQ services stop; forwarding goes on.",
         "ru": "Счётчики услуг QinQ останавливаются, передача продолжается."},
    ),
    DemoIssue(
        "POL-311", "polaris-os", Severity.HIGH, ("CVE-2026-11873",),
        {"en": "SSH accepts a revoked host certificate", "ru": "SSH принимает отозванный сертификат узла"},
        {"en": "The revocation list is not read again after a reboot.",
         "ru": "Список отзыва не перечитывается после перезагрузки."},
    ),
    DemoIssue(
        "FV-77", "flowview", Severity.MEDIUM, (),
        {"en": "Alarm list is empty after a time-zone change", "ru": "Список аварий пуст после смены часового пояса"},
        {"en": "Alarms are stored but not shown until the next midnight.",
         "ru": "Аварии сохраняются, но не видны до следующей полуночи."},
    ),
)  # fmt: skip

RELEASES = (
    DemoRelease(
        "es2400", "15.1R5", Level.MAINTENANCE, 620, _es("15.1R5"),
        _notes({"summary": "Maintenance release.", "resolved": "Counters of QinQ services."},
               {"summary": "Плановый выпуск.", "resolved": "Счётчики услуг QinQ."}),
        fixes=("ES-0987",), affected_by=("ES-1042",),
    ),
    DemoRelease(
        "es2400", "15.1R7", Level.MINOR, 260, _es("15.1R7"),
        _notes({"summary": "Converts the configuration to the new format: no path may skip it.",
                "features": "- Per-queue bandwidth profiles\n- Zero-touch provisioning over IPv6",
                "performance": "Table lookups are 18 % faster.",
                "bandwidth": "Hierarchical shaping on 8 queues per port.",
                "protocols": "LLDP-MED, RSTP guard.", "interworking": "Tested with Polaris OS 4.2 and newer."},
               {"summary": "Переводит конфигурацию в новый формат: пропускать этот выпуск нельзя.",
                "features": "- Профили полосы по очередям\n- Автонастройка по IPv6",
                "performance": "Поиск в таблицах быстрее на 18 %.",
                "bandwidth": "Иерархическое ограничение полосы: 8 очередей на порт.",
                "protocols": "LLDP-MED, защита RSTP.", "interworking": "Проверено с Polaris OS 4.2 и новее."}),
        affected_by=("ES-1042",), is_required=True, lowest_from="15.1R5", downtime_minutes=12,
    ),
    DemoRelease(
        "es2400", "15.1R7-S9", Level.PATCH, 75, _es("15.1R7-S9"),
        _notes({"summary": "Withdrawn.", "resolved": "LLDP restart (incomplete)."},
               {"summary": "Отозван.", "resolved": "Перезапуск по LLDP (неполно)."}),
        fixes=("ES-1042",), is_security_fix=True, lowest_from="15.1R7",
        withdrawn_because="Ports 17-24 stay down after a warm restart. "
        "Порты 17-24 не поднимаются после тёплого перезапуска.",
    ),
    DemoRelease(
        "es2400", "15.1R7-S10", Level.PATCH, 40, _es("15.1R7-S10"),
        _notes({"summary": "Free security fix for every holder of the product.",
                "security": "A malformed LLDP frame no longer restarts the management plane (CVE-2026-20417)."},
               {"summary": "Бесплатное исправление безопасности для каждого владельца продукта.",
                "security": "Искажённый кадр LLDP больше не перезапускает плоскость управления (CVE-2026-20417)."}),
        fixes=("ES-1042",), is_security_fix=True, is_free_security_fix=True, lowest_from="15.1R7",
        downtime_minutes=4,
        recommended_because="Closes CVE-2026-20417; 900 nodes in the field for a month.",
    ),
    DemoRelease(
        "polaris-os", "4.2-1", Level.MAJOR, 400,
        (DemoFile("polaris-os_4.2-1_arm64.iso", 5_200_000, platform="arm64"),
         DemoFile("polaris-os_4.2-1_amd64.iso", 5_600_000, platform="amd64")),
        _notes({"summary": "New kernel and package base.", "features": "- Live patching\n- Signed modules only",
                "performance": "Forwarding in software +30 %."},
               {"summary": "Новое ядро и база пакетов.",
                "features": "- Исправления на ходу\n- Только подписанные модули",
                "performance": "Программная передача +30 %."}),
        affected_by=("POL-311",),
    ),
    DemoRelease(
        "polaris-os", "4.2-3", Level.MAINTENANCE, 30,
        (DemoFile("polaris-os_4.2-3_arm64.iso", 5_200_000, platform="arm64"),
         DemoFile("Описание обновления 4.2-3.pdf", 180_000, ArtifactRole.DOCUMENT)),
        _notes({"summary": "Security and stability.", "security": "Host certificates: CVE-2026-11873."},
               {"summary": "Безопасность и стабильность.", "security": "Сертификаты узлов: CVE-2026-11873."}),
        fixes=("POL-311",), is_security_fix=True, recommended_because="Closes CVE-2026-11873.", downtime_minutes=7,
    ),
    DemoRelease(
        "flowview", "3.4.0", Level.MINOR, 210, (DemoFile("flowview-3.4.0.tar.gz", 2_100_000),),
        _notes({"summary": "Bandwidth profiles.", "bandwidth": "Profiles for a whole region in one step."},
               {"summary": "Профили полосы.", "bandwidth": "Профили на целый регион за один шаг."}),
        affected_by=("FV-77",),
    ),
    DemoRelease(
        "flowview", "3.4.1", Level.PATCH, 12, (DemoFile("flowview-3.4.1.tar.gz", 2_100_000),),
        _notes({"summary": "Fixes the alarm list.", "resolved": "Alarm list after a time-zone change."},
               {"summary": "Исправлен список аварий.", "resolved": "Список аварий после смены часового пояса."}),
        fixes=("FV-77",), recommended_because="Replaces 3.4.0 everywhere.",
    ),
    DemoRelease(
        "flowview", "3.5.0", Level.MINOR, 4, (DemoFile("flowview-3.5.0.tar.gz", 2_300_000),),
        _notes({"summary": "Topology view.", "features": "- Live topology\n- Export of run-books"},
               {"summary": "Топология.", "features": "- Живая топология\n- Выгрузка планов работ"}),
    ),
    DemoRelease(
        "linkprobe", "2.9", Level.MINOR, 300, (DemoFile("linkprobe-2.9-linux-x86_64", 640_000, platform="Linux"),),
        _notes({"summary": "Measures 100G links."}, {"summary": "Измеряет линии 100G."}),
    ),
    DemoRelease(
        "linkprobe", "2.10", Level.MINOR, 55,
        (DemoFile("linkprobe-2.10-linux-x86_64", 650_000, platform="Linux"),
         DemoFile("linkprobe-2.10-windows.exe", 710_000, platform="Windows")),
        _notes({"summary": "Compares two runs.", "features": "`linkprobe diff before.json after.json`"},
               {"summary": "Сравнивает два измерения.", "features": "`linkprobe diff before.json after.json`"}),
    ),
)  # fmt: skip
