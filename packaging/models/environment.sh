# Sourced by make.sh and train.sh from the repository's root: prepares `environment`, a Python with torch and ultralytics,
# and `weights`, the official file where none was named. TORCH names another build of torch (TORCH=torch==2.13.0 has CUDA).
if [ -n "$weights" ] && [ ! -f "$weights" ]; then
    echo "There is no file $weights. Name the .pt to start from: WEIGHTS=yolo11n.pt" >&2
    exit 2
fi

environment=build/models-environment${TORCH:+-own-torch}

if [ ! -e "$environment/.ready" ]; then
    echo "Installing torch and ultralytics into $environment"
    "${PYTHON:-python3}" -m venv "$environment"
    pip="$environment/bin/python -m pip install --quiet"
    torch="${TORCH:-torch==2.13.0+cpu}"
    # PyTorch's own index has the build without CUDA; an index or folder that pip already knows may have it too.
    $pip "$torch" 2>/dev/null || $pip --extra-index-url https://download.pytorch.org/whl/cpu "$torch"
    # ultralytics asks for torchvision, whose registry build needs CUDA and another torch: see torchvision_shim.py.
    $pip --no-deps ultralytics==8.4.190 ultralytics-thop==2.2.3
    $pip numpy==2.4.6 matplotlib opencv-python-headless==5.0.0.93 pillow pyyaml requests psutil polars scipy \
        onnx==1.23.2 onnxslim==0.1.98 onnxruntime==1.32.0
    touch "$environment/.ready"
fi

if [ -z "$weights" ]; then
    weights=build/yolo11n.pt
    "$environment/bin/python" packaging/models/fetch_weights.py "$weights"
fi
