"""Which computers look like virtual machines: none that a student owns may, by the policy's usual least score.

The firmware's words, PCI ids and address ranges are those that the makers publish or that such machines show.
"""

import pytest

from app.contract.policy import Lockdown
from lockdown.environment.machine import Hardware, signs_of_virtual_machine

LEAST = Lockdown().evidence_permille

REAL = {
    # Windows 11 runs itself under its hypervisor (VBS); Hyper-V adds a network adapter and mounted disk images.
    "a Windows 11 laptop with VBS": Hardware(
        hypervisor_bit=True,
        firmware=("LENOVO", "21HMCTO1WW", "LENOVO", "21HMCTO1WW", "LENOVO", "N3XET52W (1.27 )"),
        pci=("8086:a706", "8086:a7a0", "8086:51f1", "144d:a80a"),
        macs=("c8:15:4e:11:22:33",),
        disks=("SAMSUNG MZVL2512HCJQ-00BL7",),
        processor="13th Gen Intel(R) Core(TM) i7-1355U",
        has_sensors=True,
    ),
    "the same with Hyper-V, its switch and a mounted disk image": Hardware(
        hypervisor_bit=True,
        firmware=("LENOVO", "21HMCTO1WW", "LENOVO", "21HMCTO1WW", "LENOVO", "N3XET52W (1.27 )"),
        macs=("c8:15:4e:11:22:33", "00:15:5D:01:02:03"),
        disks=("SAMSUNG MZVL2512HCJQ-00BL7", "Msft Virtual Disk"),
        has_sensors=True,
    ),
    "a ThinkPad with Linux that runs virtual machines itself": Hardware(
        firmware=("LENOVO", "20XW004AGE", "LENOVO", "20XW004AGE", "LENOVO", "N32ET91W (1.67 )"),
        pci=("8086:9a14", "8086:9a49", "8086:a0f0"),
        macs=("54:e1:ad:aa:bb:cc",),
        disks=("Samsung SSD 980 PRO 1TB",),
        processor="11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz",
        has_sensors=True,
    ),
    "a Surface, whose maker is also Hyper-V's": Hardware(
        hypervisor_bit=True,
        firmware=(
            "Microsoft Corporation",
            "Surface Laptop 5",
            "Microsoft Corporation",
            "Surface Laptop 5",
            "11.100.143",
        ),
        macs=("f0:9e:4a:00:00:01",),
        disks=("KBG5AZNV512G KIOXIA",),
        has_sensors=True,
    ),
    "a Chromebook with other firmware and Linux": Hardware(
        firmware=("Google", "Eve", "Google", "Eve", "EDK II", "MrChromebox-2312"),
        macs=("3c:6a:a7:00:00:01",),
        disks=("DF4128",),
        has_sensors=True,
    ),
    "a desktop computer without a battery": Hardware(
        firmware=(
            "ASUS",
            "System Product Name",
            "ASUSTeK COMPUTER INC.",
            "PRIME B550-PLUS",
            "American Megatrends Inc.",
        ),
        pci=("1022:1480", "10de:2484"),
        disks=("WDC WD10EZEX-08W", "Samsung SSD 870"),
        processor="AMD Ryzen 5 5600X 6-Core Processor",
        has_sensors=True,
    ),
    "a computer of which nothing can be read": Hardware(),
}

VIRTUAL = {
    "QEMU and KVM": Hardware(
        hypervisor_bit=True,
        firmware=("QEMU", "Standard PC (Q35 + ICH9, 2009)", "SeaBIOS", "1.16.2-debian-1.16.2-1"),
        pci=("8086:29c0", "1234:1111", "1af4:1041", "1b36:000d"),
        macs=("52:54:00:12:34:56",),
        disks=("QEMU QEMU HARDDISK",),
        processor="QEMU Virtual CPU version 2.5+",
        has_sensors=False,
    ),
    "KVM with a copied name and address": Hardware(
        hypervisor_bit=True,
        firmware=("LENOVO", "20XW004AGE", "LENOVO", "20XW004AGE", "LENOVO", "N32ET91W"),
        pci=("8086:29c0", "1af4:1050"),
        macs=("54:e1:ad:aa:bb:cc",),
        has_sensors=False,
    ),
    "VirtualBox": Hardware(
        hypervisor_bit=True,
        firmware=("innotek GmbH", "VirtualBox", "Oracle Corporation", "VirtualBox", "innotek GmbH", "VirtualBox"),
        pci=("80ee:cafe", "80ee:beef"),
        macs=("08:00:27:4e:5a:01",),
        disks=("ATA VBOX HARDDISK",),
        has_sensors=True,  # it shows a battery
    ),
    "VMware": Hardware(
        hypervisor_bit=True,
        firmware=("VMware, Inc.", "VMware Virtual Platform", "Intel Corporation", "Phoenix Technologies LTD", "6.00"),
        pci=("15ad:0405", "15ad:07a0"),
        macs=("00:0c:29:4e:5a:01",),
        disks=("VMware, VMware Virtual S",),
    ),
    "Hyper-V": Hardware(
        hypervisor_bit=True,
        firmware=("Microsoft Corporation", "Virtual Machine", "Microsoft Corporation", "Virtual Machine"),
        pci=("1414:5353",),
        macs=("00:15:5d:01:02:03",),
        disks=("Msft Virtual Disk",),
    ),
    "a computer in Amazon's cloud": Hardware(
        hypervisor_bit=True, firmware=("Amazon EC2", "c5.large"), pci=("1d0f:8061",), has_sensors=False
    ),
    "a computer in Google's cloud": Hardware(
        hypervisor_bit=True, firmware=("Google", "Google Compute Engine"), pci=("1af4:1004",)
    ),
    "a small virtual machine without firmware": Hardware(hypervisor_bit=True, virtio=True, has_sensors=False),
    "Parallels": Hardware(firmware=("Parallels Software International Inc.", "Parallels Virtual Platform")),
}


@pytest.mark.parametrize("name", REAL)
def test_a_students_computer_is_not_called_a_virtual_machine(name: str) -> None:
    evidence = signs_of_virtual_machine(REAL[name])
    assert evidence is None or evidence.score < LEAST


@pytest.mark.parametrize("name", VIRTUAL)
def test_a_virtual_machine_is_called_one_and_every_sign_is_listed(name: str) -> None:
    evidence = signs_of_virtual_machine(VIRTUAL[name])
    assert evidence is not None
    assert evidence.score >= LEAST
    facts = evidence.described()
    assert all(signal.says in facts["signals"] for signal in evidence.signals)
    assert facts["score"] == str(evidence.score)


def test_the_hypervisor_bit_alone_says_little() -> None:
    evidence = signs_of_virtual_machine(Hardware(hypervisor_bit=True))
    assert evidence is not None
    assert 0 < evidence.score < LEAST / 2 + 1


def test_many_devices_of_one_hypervisor_are_one_sign() -> None:
    one = signs_of_virtual_machine(Hardware(pci=("1af4:1000",)))
    many = signs_of_virtual_machine(Hardware(pci=("1af4:1000", "1AF4:1041", "1af4:1050"), virtio=True))
    assert one is not None
    assert one == many


def test_the_words_of_one_firmware_are_one_sign() -> None:
    one = signs_of_virtual_machine(Hardware(firmware=("VirtualBox",)))
    many = signs_of_virtual_machine(Hardware(firmware=("VirtualBox", "innotek GmbH", "VirtualBox")))
    assert one is not None
    assert one == many
