"""What the room of scans is called and holds: light, read before anything is imported."""

from molgraph.registry import Named, Names

NAMES = Names(
    room=".room:ROOM",
    models={
        "cnn": (".encoders.cnn:CNN", "small residual convolution network (He 2016, Wu 2018)"),
        "unet": (".encoders.unet:UNet", "U-Net that marks lesions (Ronneberger 2015)"),
        "resnet18": (".encoders.resnet:ResNet18", "residual network of 18 layers (He 2016)"),
        "resnet34": (".encoders.resnet:ResNet34", "residual network of 34 layers (He 2016)"),
        "resnet50": (".encoders.resnet:ResNet50", "residual network of 50 layers (He 2016)"),
        "resnet_gn": (
            ".encoders.resnet_gn:ResNetGN",
            "residual network of 18 layers with group norms, for gradients per sample (Wu 2018)",
        ),
        "densenet121": (".encoders.densenet:DenseNet121", "densely connected network of 121 layers (Huang 2017)"),
        "forest": (
            ".forest:Forest",
            "gradient-boosted trees on small pixels, histogram and directions of gradients (Dalal 2005)",
        ),
        "linear": (".linear:Linear", "ridge or logistic regression on what the forest sees"),
        "consensus": (".consensus:Consensus", "network, trees and linear model together, weighed by rows held out"),
    },
    splits={
        "patient": Named(
            "group_random", "patient", "whole patients (column patient, patient_id, subject, ...) at random"
        ),
    },
    holds="scans",
    called=("image", "scan", "picture", "path", "file", "filename"),
)
