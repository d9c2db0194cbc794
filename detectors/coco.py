"""The 80 classes of COCO in the order in which YOLO models output them, and those that Fairlock looks for."""

_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,"
    "bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,"
    "skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,"
    "cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,"
    "potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,"
    "refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
)
COCO80 = tuple(_NAMES.split(","))

_FOOD = ("banana", "apple", "sandwich", "orange", "carrot", "hot dog", "pizza", "donut", "cake")

LABELS = {
    "person": "person",
    "cell phone": "phone",
    "phone": "phone",
    "book": "book",
    "laptop": "laptop",
    "tv": "screen",
    "tablet": "tablet",
    "headphones": "headphones",
    "headphones_or_earbuds": "headphones",
    "wallet_or_other_held_object": "in_hand",
    "bottle": "bottle",
    "cup": "cup",
    "wine glass": "cup",
    **dict.fromkeys(_FOOD, "food"),
}
"""From a model's class name, COCO's or that of a model trained further, to our label; every other class is left out."""

_TOOLS = ("remote", "mouse", "scissors", "toothbrush", "hair drier", "fork", "knife", "spoon", "bowl")
_NOT_HELD = ("person", "laptop", "tv", "headphones", "headphones_or_earbuds")
HELD = frozenset({*LABELS, *_TOOLS}.difference(_NOT_HELD))
"""The classes that a model may call a thing in a hand, rightly or not: an earphone case becomes a donut or a remote.

No clocks, for those are watches on wrists.
"""
